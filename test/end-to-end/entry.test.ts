// The Worker's entry on real workerd: which plane answers a path, and whose commands make an isolate ask Control anew.
// With a lease of a minute, so that whatever an isolate hears of earlier it hears of by the command that it took itself.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";
import { callAdmin, chat, createPrompt, send, startProvider, type Provider } from "./rollback-rig.ts";

let provider: Provider;
let cluster: Cluster;

beforeAll(async () => {
  provider = await startProvider();
  const vars = { UPSTREAM_OPENAI: provider.url, LEASE_SOFT_MS: "30000", LEASE_MS: "60000" };
  cluster = await startCluster({ edges: 1, vars });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

describe("a slash behind a path of ours", () => {
  it.each(["/metrics", "/docs", "/openapi.json", "/dashboard", "/healthz"])(
    "changes nothing: %s",
    async (path) => {
      const [plain, slashed] = await Promise.all(
        [path, `${path}/`].map((one) =>
          fetch(cluster.control.url + one, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }),
        ),
      );
      expect([slashed!.status, slashed!.headers.get("content-type")]).toEqual([
        200,
        plain!.headers.get("content-type"),
      ]);
      expect(await slashed!.text()).toBe(await plain!.text());
    },
  );

  it("changes nothing where feedback is given", async () => {
    const refused = await send(`${cluster.control.url}/feedback/`, "POST", "{}", {
      authorization: `Bearer ${ADMIN_TOKEN}`,
    });
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining("request_id")]);
    const preflight = await fetch(`${cluster.control.url}/feedback/`, { method: "OPTIONS" });
    expect(preflight.headers.get("access-control-allow-methods")).toBe("POST");
  });
});

describe("an isolate", () => {
  it("keeps its lease whoever is refused there, and hears of the command that it took itself at once", async () => {
    const [edge] = cluster.edges as [Cluster["control"]];
    await createPrompt(cluster.control.url, "bot");
    const ask = async () => {
      const { status, headers } = await chat(edge, "bot");
      return [status, headers["prompt-reason"], headers["prompt-version"]];
    };
    expect(await ask()).toEqual([200, "static", "1"]);
    const { token } = await callAdmin<{ token: string }>(cluster.control.url, "POST", "/admin/tokens", {
      name: "reader",
      role: "viewer",
    });
    await edge.setFaults({ control: "dead" });
    const path = `${edge.url}/admin/prompts/bot/rollback`;
    const refused = await Promise.all([
      send(path, "POST", "{}", {}),
      send(path, "POST", "{}", { authorization: `Bearer ${token}` }),
      send(`${path}s`, "POST", "{}", { authorization: `Bearer ${ADMIN_TOKEN}` }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([401, 403, 404]);
    // Without a lease it would have to ask Control, which is out of its reach.
    expect(await ask()).toEqual([200, "static", "1"]);
    await edge.setFaults({ control: "none" });
    await callAdmin(edge.url, "POST", "/admin/prompts/bot/promote", { version: 2 });
    expect(await ask()).toEqual([200, "static", "2"]);
    await callAdmin(edge.url, "POST", "/admin/prompts/bot/rollback", { reason: "back" });
    expect(await ask()).toEqual([200, "static", "1"]);
  });
});
