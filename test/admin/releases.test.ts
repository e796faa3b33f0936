// Releases over HTTP on the shipped Worker: guards, repeats, and the promise of a rollback that waits.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import type { RollbackAnswer } from "../../src/core/ports.ts";
import type { ReleaseView, Revision } from "../../src/core/types.ts";
import type { Cluster } from "../support/cluster.ts";
import { mustSend, seed, send, startDemo, type Problem, type Sent } from "./rig.ts";

let cluster: Cluster;
let url: string;
let made = 0;

beforeAll(async () => {
  cluster = await startDemo();
  url = cluster.control.url;
});
afterAll(() => cluster?.stop());

/** A prompt of this test's own, with versions 1 (baseline) and 2. */
async function createPrompt(): Promise<string> {
  made += 1;
  const name = `own-${made}`;
  await seed(url, name);
  return name;
}

const get = (prompt: string, rest: string, headers = {}): Sent => ({
  method: "GET",
  path: `/admin/prompts/${prompt}/${rest}`,
  headers,
});
const post = (prompt: string, rest: string, body: object, headers = {}): Sent => ({
  method: "POST",
  path: `/admin/prompts/${prompt}/${rest}`,
  body: JSON.stringify(body),
  headers,
});
const readRelease = (prompt: string, query = "") =>
  mustSend<ReleaseView>(url, get(prompt, `release${query}`));

describe("a release", () => {
  it("carries its revision as ETag, and is not sent again while it stands", async () => {
    const prompt = await createPrompt();
    const first = await send(url, get(prompt, "release"));
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toBe(`"${((await first.json()) as ReleaseView).revision}"`);
    for (const tag of [etag, `W/${etag}`, `"0", ${etag}`, "*"]) {
      const same = await send(url, get(prompt, "release", { "if-none-match": tag }));
      expect({ status: same.status, etag: same.headers.get("etag") }).toEqual({ status: 304, etag });
      expect(await same.text()).toBe("");
    }
    await mustSend(url, post(prompt, "canary", { version: 2, weight: 5 }));
    const changed = await send(url, get(prompt, "release", { "if-none-match": etag }));
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
    const view = await changed.json();
    expect(OPERATIONS.getRelease.response.safeParse(view).error).toBe(undefined);
  });

  it("answers HEAD like GET, without the body", async () => {
    const prompt = await createPrompt();
    const head = await send(url, { method: "HEAD", path: `/admin/prompts/${prompt}/release` });
    expect(head.status).toBe(200);
    expect(head.headers.get("etag")).toBe('"1"');
  });

  it("is never kept by a cache", async () => {
    const prompt = await createPrompt();
    const paths = ["release", "versions", "revisions"];
    for (const rest of paths) {
      const response = await send(url, get(prompt, rest));
      expect(response.headers.get("cache-control")).toMatch(/no-store|no-cache/);
      await response.arrayBuffer();
    }
  });

  it("of a prompt without a version says to push one", async () => {
    await mustSend(url, { method: "PUT", path: "/admin/prompts/empty" });
    const response = await send(url, get("empty", "release"));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "version_not_found",
      detail: expect.stringMatching(/push/i),
    });
  });

  it("of another environment begins with the first change that names it", async () => {
    const prompt = await createPrompt();
    const body = { version: 2, weight: 50, environment: "staging" };
    const set = await send(url, post(prompt, "canary", body));
    expect(set.status).toBe(200);
    expect(await set.json()).toMatchObject({ environment: "staging", baseline: 1 });
    expect(await readRelease(prompt)).toMatchObject({ revision: 1, arms: [{ version: 1, weight: 100 }] });
    expect(await mustSend(url, get(prompt, "environments"))).toEqual({
      prompt,
      environments: ["production", "staging"],
    });
    // The guard means the environment that the call names: staging goes on, production stays at 1.
    await mustSend(url, post(prompt, "canary", { ...body, weight: 60 }));
    const { revision } = await readRelease(prompt, "?environment=staging");
    expect(revision).toBeGreaterThan(1);
    const promote = { version: 2, environment: "staging" };
    const stale = await send(url, post(prompt, "promote", promote, { "if-match": '"1"' }));
    expect(stale.status).toBe(412);
    expect(((await stale.json()) as Problem).current).toBe(revision);
    await mustSend(url, post(prompt, "promote", promote, { "if-match": `"${revision}"` }));
  });
});

describe("a write", () => {
  it("goes through under the revision that is in force, in each form of If-Match", async () => {
    const prompt = await createPrompt();
    let { revision } = await readRelease(prompt);
    for (const form of [
      (n: number) => `"${n}"`,
      (n: number) => `${n}`,
      (n: number) => `W/"${n}"`,
      () => "*",
    ]) {
      const headers = { "if-match": form(revision) };
      const answer = await send(url, post(prompt, "canary", { version: 2, weight: revision }, headers));
      expect(answer.status).toBe(200);
      const release = (await answer.json()) as ReleaseView;
      expect(answer.headers.get("etag")).toBe(`"${release.revision}"`);
      expect(release.revision).toBe(revision + 1);
      revision = release.revision;
    }
  });

  it("of two under one revision only one goes through", async () => {
    const prompt = await createPrompt();
    const headers = { "if-match": '"1"' };
    const answers = await Promise.all(
      [10, 20, 30].map((weight) => send(url, post(prompt, "canary", { version: 2, weight }, headers))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
    expect((await readRelease(prompt)).revision).toBe(2);
    for (const answer of answers) await answer.arrayBuffer();
  });

  it("sent twice under one Idempotency-Key happens once and is answered the same, byte for byte", async () => {
    const prompt = await createPrompt();
    const sent = post(prompt, "canary", { version: 2, weight: 5 }, { "idempotency-key": "five" });
    const [first, second] = [await send(url, sent), await send(url, sent)];
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
    expect((await readRelease(prompt)).revision).toBe(2);
  });

  it("is signed with the token's name and told with its reason", async () => {
    const prompt = await createPrompt();
    const mint = { method: "POST", path: "/admin/tokens", body: '{"name":"grace","role":"releaser"}' };
    const { token } = await mustSend<{ token: string }>(url, mint);
    const body = { version: 2, weight: 5, reason: "a first look" };
    await mustSend(url, post(prompt, "canary", body), token);
    const log = await mustSend<{ revisions: Revision[] }>(url, get(prompt, "revisions"));
    expect(OPERATIONS.listRevisions.response.safeParse(log).error).toBe(undefined);
    expect(log.revisions[0]).toMatchObject({
      actor: "grace",
      action: "canary",
      reason: "a first look",
      revision: 2,
      before: { revision: 1, arms: [{ version: 1, weight: 100 }] },
      after: {
        arms: [
          { version: 1, weight: 95 },
          { version: 2, weight: 5 },
        ],
      },
    });
  });
});

describe("a rollback", () => {
  it("that waits answers only after it is enforced everywhere; one that does not, before", async () => {
    const prompt = await createPrompt();
    await mustSend(url, post(prompt, "canary", { version: 2, weight: 50 }));
    const at = await mustSend<RollbackAnswer>(url, post(prompt, "rollback", {}));
    expect(Date.now()).toBeLessThan(Date.parse(at.enforcedBy));
    expect(at).toMatchObject({ from: 2, to: 1 });
    expect(Date.parse(at.enforcedBy)).toBeGreaterThan(Date.parse(at.committedAt));
    const waited = await mustSend<RollbackAnswer>(url, post(prompt, "rollback", { wait: true }));
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(at.enforcedBy));
    expect(waited).toEqual(at);
    expect((await readRelease(prompt)).revision).toBe(at.revision);
  });

  it("that waits long after it was enforced answers at once", async () => {
    const prompt = await createPrompt();
    await mustSend(url, post(prompt, "canary", { version: 2, weight: 50 }));
    const { enforcedBy } = await mustSend<RollbackAnswer>(url, post(prompt, "rollback", { wait: true }));
    const startedMs = performance.now();
    await mustSend(url, post(prompt, "rollback", { wait: true }));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(Date.parse(enforcedBy)).toBeLessThanOrEqual(Date.now());
  });

  it("needs no body, and with nothing to go back to is a conflict", async () => {
    const prompt = await createPrompt();
    const response = await send(url, { method: "POST", path: `/admin/prompts/${prompt}/rollback` });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "conflict" });
  });

  it("that is refused does not wait", async () => {
    const startedMs = performance.now();
    expect((await send(url, post("nobody", "rollback", { wait: true }))).status).toBe(404);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
