// Prompts and versions over HTTP: statuses, headers and the words of the contract, on the shipped Worker.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import type { Prompt } from "../../src/core/types.ts";
import type { Cluster } from "../support/cluster.ts";
import { mustSend, PROMPT, send, startDemo, type Problem, type Sent } from "./rig.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let cluster: Cluster;
let url: string;

beforeAll(async () => {
  cluster = await startDemo(0, { GROQ_API_KEY: "gsk-held" });
  url = cluster.control.url;
});
afterAll(() => cluster?.stop());

const get = (path: string): Sent => ({ method: "GET", path: `/admin/prompts${path}` });
const put = (path: string, body: object, headers = {}): Sent => ({
  method: "PUT",
  path: `/admin/prompts${path}`,
  body: JSON.stringify(body),
  headers,
});
const post = (path: string, body: object, headers = {}): Sent => ({
  ...put(path, body, headers),
  method: "POST",
});

describe("PUT", () => {
  it("creates with 201 and a Location, then changes only what is named, with 200", async () => {
    const made = await send(url, put("/made", { description: "first", tags: ["a"] }));
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe("/admin/prompts/made");
    expect(made.headers.get("etag")).toBe('"0"');
    const prompt = (await made.json()) as Prompt;
    expect(prompt).toMatchObject({ name: "made", kind: "prompt", unit: "conversation", latestVersion: 0 });
    expect(prompt.createdAt).toMatch(TIME);
    const changed = await send(url, put("/made", { owner: "ada" }));
    expect(changed.status).toBe(200);
    expect(changed.headers.get("location")).toBe(null);
    expect(await changed.json()).toMatchObject({ description: "first", tags: ["a"], owner: "ada" });
  });

  it("needs no body, no Content-Type, and bears a wrong one", async () => {
    expect((await send(url, { method: "PUT", path: "/admin/prompts/bare" })).status).toBe(201);
    const headers = { "content-type": "text/plain" };
    expect((await send(url, put("/bare", { owner: "ada" }, headers))).status).toBe(200);
  });

  it("sets a judge that can be asked, by its own name, and refuses one that cannot", async () => {
    const judge = { prompt: "pmpt_judge", provider: "groq" };
    const set = (more: object) => send(url, put(`/${PROMPT}`, { judge: { ...judge, ...more } }));
    const refusal = async (more: object) => {
      const answer = await set(more);
      const { code, field } = (await answer.json()) as Problem;
      return [answer.status, code, field];
    };
    expect(await refusal({})).toEqual([404, "prompt_not_found", "judge.prompt"]);
    await mustSend(url, put("/answer-judge", { aliases: ["pmpt_judge"] }));
    expect(await refusal({})).toEqual([409, "conflict", "judge.prompt"]);
    await mustSend(url, post("/answer-judge/versions", { system: "Score {{answer}}.", model: "m" }));
    expect(await refusal({ provider: "nowhere" })).toEqual([404, "provider_not_found", "judge.provider"]);
    expect(await refusal({ provider: "openai" })).toEqual([409, "conflict", "judge.provider"]);
    expect(await refusal({ prompt: PROMPT })).toEqual([400, "invalid_request", "judge.prompt"]);
    expect(await refusal({ sample: 7 })).toEqual([400, "invalid_request", "judge.sample"]);
    const words = (await (await set({ concurrency: 17, maxBytes: 1.5, maxUsdPerDay: -1 })).json()) as Problem;
    expect(words.errors).toEqual([
      { field: "judge.maxBytes", message: "must be a whole number" },
      { field: "judge.maxUsdPerDay", message: "must be at least 0" },
      { field: "judge.concurrency", message: "must be at most 16" },
    ]);
    const taken = (await (await set({ sample: 0.5 })).json()) as Prompt;
    expect(taken.judge).toEqual({
      prompt: "answer-judge",
      provider: "groq",
      sample: 0.5,
      maxBytes: 16_384,
      maxUsdPerDay: 5,
      concurrency: 2,
    });
    const off = (await (await send(url, put(`/${PROMPT}`, { judge: null }))).json()) as Prompt;
    expect(off).not.toHaveProperty("judge");
  });

  it("leaves setting a judge, which spends and sends content away, to admins; a releaser may turn it off", async () => {
    await mustSend(url, put("/grader", {}));
    await mustSend(url, post("/grader/versions", { system: "Score {{answer}}.", model: "m" }));
    const judge = { prompt: "grader", provider: "groq" };
    const minted = { ...post("", { name: "ci", role: "releaser" }), path: "/admin/tokens" };
    const { token } = await mustSend<{ token: string }>(url, minted);
    for (const path of [`/${PROMPT}`, "/not-made-by-this"]) {
      const refused = await send(url, put(path, { owner: "ci", judge }), token);
      const said = (await refused.json()) as Problem;
      expect([refused.status, said.code, said.field]).toEqual([403, "forbidden", "judge"]);
      expect(said.detail).toMatch(/needs the role admin.*this token has the role releaser/);
    }
    expect((await send(url, get("/not-made-by-this"))).status).toBe(404);
    expect((await mustSend<Prompt>(url, get(`/${PROMPT}`))).owner).not.toBe("ci");
    await mustSend(url, put(`/${PROMPT}`, { judge }));
    await mustSend(url, put(`/${PROMPT}`, { owner: "support" }), token);
    expect(await mustSend<Prompt>(url, get(`/${PROMPT}`))).toHaveProperty("judge");
    expect(await mustSend<Prompt>(url, put(`/${PROMPT}`, { judge: null }), token)).not.toHaveProperty(
      "judge",
    );
  });

  it("under If-Match: * never creates", async () => {
    const refused = await send(url, put("/not-there", {}, { "if-match": "*" }));
    expect(refused.status).toBe(412);
    expect(await refused.json()).toMatchObject({ code: "revision_conflict", current: 0 });
    expect((await send(url, get("/not-there"))).status).toBe(404);
    expect((await send(url, put("/made-there", {}))).status).toBe(201);
    expect((await send(url, put("/made-there", {}, { "if-match": "*" }))).status).toBe(200);
  });

  it("sent again under the same key answers the same", async () => {
    const headers = { "idempotency-key": "put-once" };
    const first = await send(url, put("/keyed", { owner: "ada" }, headers));
    const second = await send(url, put("/keyed", { owner: "ada" }, headers));
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await second.text()).toBe(await first.text());
  });
});

describe("an alias", () => {
  beforeAll(() => mustSend(url, put("/aliased", { aliases: ["pmpt_68", "Old-Name"] })));

  it.each(["pmpt_68", "Old-Name"])("%s stands wherever the name does", async (alias) => {
    expect(await mustSend(url, get(`/${alias}`))).toMatchObject({ name: "aliased" });
    const pushed = await send(url, post(`/${alias}/versions`, { system: `By ${alias}` }));
    expect(pushed.status).toBe(201);
    expect(pushed.headers.get("location")).toMatch(/^\/admin\/prompts\/aliased\/versions\/\d$/);
    expect(await mustSend(url, get(`/${alias}/release`))).toMatchObject({ prompt: "aliased" });
    expect(await mustSend(url, get(`/${alias}/versions`))).toMatchObject({ prompt: "aliased" });
  });

  it("never becomes a second prompt of that name", async () => {
    const changed = await send(url, put("/pmpt_68", { owner: "grace" }));
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ name: "aliased", owner: "grace" });
    const { prompts } = await mustSend<{ prompts: Prompt[] }>(url, get(""));
    expect(prompts.map(({ name }) => name)).not.toContain("pmpt_68");
  });

  it("keeps the guard of a write", async () => {
    const release = await send(url, get("/pmpt_68/release"));
    const etag = release.headers.get("etag") ?? "";
    await release.arrayBuffer();
    const body = { version: 2, weight: 5 };
    expect((await send(url, post("/pmpt_68/canary", body, { "if-match": '"99"' }))).status).toBe(412);
    expect((await send(url, put("/pmpt_68", {}, { "if-match": etag }))).status).toBe(200);
    expect((await send(url, post("/pmpt_68/canary", body, { "if-match": etag }))).status).toBe(200);
  });

  it("that another prompt holds is refused", async () => {
    const refused = await send(url, put("/envious", { aliases: ["pmpt_68"] }));
    expect(refused.status).toBe(409);
    expect(((await refused.json()) as Problem).code).toBe("conflict");
  });
});

describe("a push", () => {
  it("answers 201 for a new content and 200 with the old number for a known one", async () => {
    await mustSend(url, put("/pushed", {}));
    const first = await send(url, post("/pushed/versions", { system: "One." }));
    expect(first.status).toBe(201);
    expect(first.headers.get("location")).toBe("/admin/prompts/pushed/versions/1");
    expect(first.headers.get("etag")).toBe('"1"');
    const { version, digest } = (await first.json()) as { version: number; digest: string };
    expect({ version, digest }).toEqual({ version: 1, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const again = await send(url, post("/pushed/versions", { system: "One.", note: "said otherwise" }));
    expect(again.status).toBe(200);
    expect(again.headers.get("location")).toBe(null);
    expect(await again.json()).toEqual({ version, digest });
    expect(await mustSend(url, get("/pushed/release"))).toMatchObject({ baseline: 1, revision: 1 });
  });

  it("names every wrong field of a content", async () => {
    const refused = await send(url, post(`/${PROMPT}/versions`, { system: "", messages: [{ role: "bot" }] }));
    expect(refused.status).toBe(400);
    const { errors } = (await refused.json()) as Problem;
    const fields = errors?.map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(["messages[0].role", "messages[0].content"]));
  });

  it("may have fields like a problem's", async () => {
    const refused = await send(url, post(`/${PROMPT}/versions`, { problem: "conflict", message: "x" }));
    expect(refused.status).toBe(400);
  });

  it("lists versions newest first, and reads one whole", async () => {
    const { versions } = await mustSend<{ versions: { version: number }[] }>(url, get(`/${PROMPT}/versions`));
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
    const view = await mustSend<{ createdAt: string }>(url, get(`/${PROMPT}/versions/2`));
    expect(OPERATIONS.getVersion.response.safeParse(view).error).toBe(undefined);
    expect(view).toMatchObject({ version: 2, content: { messages: [{ role: "system" }] }, revoked: null });
    expect(view.createdAt).toMatch(TIME);
  });

  it("can be compared: unified text, and what changed where", async () => {
    const diff = await mustSend<{ unified: string }>(url, get(`/${PROMPT}/diff?from=1&to=2`));
    expect(diff).toMatchObject({
      prompt: PROMPT,
      from: 1,
      to: 2,
      changes: { messages: [{ path: "messages[0].content" }], model: [], params: [], variables: [] },
    });
    expect(diff.unified).toMatch(/^-.*You help users of \{\{product\}\}\.$/m);
    expect(await mustSend(url, get(`/${PROMPT}/diff?from=1&to=1`))).toMatchObject({ unified: "" });
  });
});

describe("a list", () => {
  it("is sorted, and shows archived prompts only when asked", async () => {
    await mustSend(url, put("/z-last", {}));
    await mustSend(url, { method: "DELETE", path: "/admin/prompts/z-last?reason=done" });
    const names = async (query: string) => {
      const { prompts } = await mustSend<{ prompts: Prompt[] }>(url, get(query));
      return prompts.map(({ name }) => name);
    };
    expect(await names("")).not.toContain("z-last");
    const all = await names("?archived=true");
    expect(all).toContain("z-last");
    expect(all).toEqual(all.toSorted());
    expect(await mustSend(url, put("/z-last", {}))).toMatchObject({ archivedAt: null });
    expect(await names("")).toContain("z-last");
  });
});

describe("a bug", () => {
  it("answers 500 without a word of the exception, there or in the log", async () => {
    await cluster.control.setFaults({ control: "dead" });
    const response = await send(url, get(`/${PROMPT}`));
    await cluster.control.setFaults({ control: "none" });
    expect(response.status).toBe(500);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const { code, detail } = (await response.json()) as Problem;
    expect(code).toBe("internal");
    const requestId = /[0-9a-f-]{36}/.exec(detail)?.[0] ?? "none";
    const line = cluster.logs.find(({ message }) => message.includes(requestId));
    expect(JSON.parse(line?.message ?? "{}")).toEqual({
      event: "admin_exception",
      requestId,
      error: "Error",
    });
    expect(`${detail}${line?.message}`).not.toContain("harness");
  });
});
