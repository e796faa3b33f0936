// Proxy keys and providers over the admin API, on the shipped Worker: a key is shown once, its scope is checked when it
// is minted, and what is wrong with a provider is said before a request finds out.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProxyKey } from "../../src/core/ports.ts";
import type { ProviderView } from "../../src/admin/schemas.ts";
import type { Cluster } from "../support/cluster.ts";
import { mustSend, PROMPT, send, startDemo, type Problem } from "./rig.ts";

type Minted = ProxyKey & { key: string };

const VARS = {
  OPENAI_API_KEY: "sk-held",
  UPSTREAM_MY_LLM: "http://llm.example.com/v1",
  UPSTREAM_BEDROCK: "https://bedrock-runtime.eu-west-1.amazonaws.com",
  AWS_ACCESS_KEY_ID: "AKIA",
  AZURE_API_KEY: "azure-held",
  STREAM_USAGE: "My-LLM, groq,, opnai,azure,opnai",
};

let cluster: Cluster;
let url: string;

beforeAll(async () => {
  cluster = await startDemo(0, VARS);
  url = cluster.control.url;
  await mustSend(url, {
    method: "PUT",
    path: "/admin/prompts/aliased",
    body: JSON.stringify({ aliases: ["pmpt_1"] }),
  });
});
afterAll(() => cluster?.stop());

const post = (body: object) => send(url, { method: "POST", path: "/admin/keys", body: JSON.stringify(body) });
const mint = (body: object) =>
  mustSend<Minted>(url, { method: "POST", path: "/admin/keys", body: JSON.stringify(body) });

async function list(): Promise<ProxyKey[]> {
  const { keys } = await mustSend<{ keys: ProxyKey[] }>(url, { method: "GET", path: "/admin/keys" });
  return keys;
}

describe("a proxy key", () => {
  it("is shown once, and only its digest is kept", async () => {
    const response = await post({ name: "checkout" });
    expect(response.status).toBe(201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const minted = (await response.json()) as Minted;
    expect(minted.key).toMatch(/^sb_[A-Za-z0-9_-]{43}$/);
    expect(minted).toMatchObject({
      name: "checkout",
      use: "all",
      prompts: [],
      environments: [],
      providers: [],
      passThrough: true,
      requestsPerMinute: null,
      createdBy: "admin",
      lastUsedAt: null,
    });
    expect(response.headers.get("location")).toBe(`/admin/keys/${minted.id}`);
    const listed = JSON.stringify(await list());
    expect(listed).toContain(minted.id);
    expect(listed).not.toContain(minted.key);
    expect(listed).not.toContain(createHash("sha256").update(minted.key).digest("hex"));
    expect(JSON.stringify(cluster.logs)).not.toContain("sb_");
  });

  it("is scoped to prompts by their own names, and then to nothing but them", async () => {
    const minted = await mint({ name: "narrow", prompts: ["pmpt_1", "aliased", PROMPT] });
    expect(minted).toMatchObject({ prompts: ["aliased", PROMPT], passThrough: false });
    expect(await mint({ name: "wider", prompts: [PROMPT], passThrough: true })).toMatchObject({
      passThrough: true,
    });
  });

  it("for feedback alone is told apart from one for everything", async () => {
    const minted = await mint({ name: "thumbs", use: "feedback", prompts: [PROMPT] });
    const shown = { use: "feedback", prompts: [PROMPT], providers: [], passThrough: false };
    expect(minted).toMatchObject(shown);
    expect((await list()).find(({ id }) => id === minted.id)).toMatchObject(shown);
  });

  it("is revoked by its id, once", async () => {
    const { id } = await mint({ name: "leaked" });
    const path = `/admin/keys/${id}`;
    const revoked = await mustSend<ProxyKey>(url, { method: "DELETE", path });
    expect(revoked.revokedAt).toMatch(/Z$/);
    expect(await mustSend<ProxyKey>(url, { method: "DELETE", path })).toEqual(revoked);
    expect((await list()).find((key) => key.id === id)).toEqual(revoked);
    const nobody = await send(url, { method: "DELETE", path: "/admin/keys/nobody" });
    expect(nobody.status).toBe(404);
    expect(((await nobody.json()) as Problem).code).toBe("key_not_found");
  });

  it.each([
    [{ name: "x", prompts: ["no-such-prompt"] }, 404, "prompt_not_found", "prompts"],
    [{ name: "x", providers: ["opnai"] }, 404, "provider_not_found", "providers"],
    [{ name: "x", providers: ["my-llm", "azure"], expiresAt: "2020-01-01T00:00:00Z" }, 400, "", "expiresAt"],
    [{ name: "x", environments: ["Not one"] }, 400, "", "environments[0]"],
    [{ name: "x", use: "feedback", providers: ["openai"] }, 400, "", "providers"],
    [{ name: "x", use: "feedback", passThrough: true }, 400, "", "passThrough"],
    [{ name: "x", use: "thumbs" }, 400, "", "use"],
    [{ name: "x", requestsPerMinute: 60 }, 400, "", "requestsPerMinute"],
    [{ name: "x", requestsPerMinute: 0 }, 400, "", "requestsPerMinute"],
    [{ name: "" }, 400, "", "name"],
    [{ prompts: [] }, 400, "", "name"],
  ])("is refused for %j with %i, naming the field", async (body, status, code, field) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect((await response.json()) as Problem).toMatchObject({ code: code || "invalid_request", field });
  });

  it("is refused a limit that the deployment has not, and told which binding it would take", async () => {
    const refused = (await (await post({ name: "x", requestsPerMinute: 60 })).json()) as Problem;
    expect(refused.detail).toContain("RATE_LIMIT_60");
  });
});

describe("a provider", () => {
  let providers: Map<string, ProviderView>;
  let text: string;
  beforeAll(async () => {
    text = await (await send(url, { method: "GET", path: "/admin/providers" })).text();
    const all = (JSON.parse(text) as { providers: ProviderView[] }).providers;
    providers = new Map(all.map((one) => [one.name, one]));
  });

  it("that has a secret takes proxy keys, and the secret is nowhere", () => {
    expect(providers.get("openai")).toEqual({
      name: "openai",
      origin: "https://api.openai.com",
      secret: "OPENAI_API_KEY",
      can: ["pass-through", "prompts", "proxy-keys"],
      problems: [],
    });
    expect(providers.get("anthropic")).toMatchObject({ secret: null, can: ["pass-through", "prompts"] });
    for (const secret of ["sk-held", "azure-held", "AKIA"]) expect(text).not.toContain(secret);
  });

  it("without a host says which var names it", () => {
    const azure = providers.get("azure");
    expect(azure).toMatchObject({ origin: null, can: [] });
    expect(azure?.problems[0]?.mend).toContain("UPSTREAM_AZURE");
  });

  it("that was added is listed with what is wrong with its address", () => {
    const own = providers.get("my-llm");
    expect(own?.origin).toBe("http://llm.example.com/v1");
    const said = own?.problems.map(({ message }) => message).join(" ");
    expect(said).toContain("in the clear");
    expect(said).toContain("/v1");
  });

  it("whose streams are asked for their usage says so; a name that is none's is listed with what it may mean", () => {
    expect(providers.get("my-llm")?.can).toContain("stream-usage");
    expect(providers.get("groq")?.can).toContain("stream-usage");
    expect(providers.get("openai")?.can).not.toContain("stream-usage");
    // It has no host, so nothing can.
    expect(providers.get("azure")?.can).toEqual([]);
    expect(providers.get("opnai")).toEqual({
      name: "opnai",
      origin: null,
      secret: null,
      can: [],
      problems: [
        {
          message: "STREAM_USAGE names it, and there is no such provider.",
          mend: "Did you mean openai? Names are separated by commas; UPSTREAM_OPNAI would add it.",
        },
      ],
    });
    expect(text.match(/"opnai"/g)).toHaveLength(1);
  });

  it("that signs says what it lacks for that", () => {
    const bedrock = providers.get("bedrock");
    expect(bedrock?.can).not.toContain("signing");
    expect(bedrock?.problems).toHaveLength(1);
    expect(bedrock?.problems[0]?.mend).toContain("AWS_SECRET_ACCESS_KEY");
    expect(bedrock?.problems[0]?.mend).not.toContain("AWS_ACCESS_KEY_ID");
  });
});
