// Ramps over HTTP on the shipped Worker: the plan in and its state out, guarded and repeated like every write, and errors
// that name the field and how to mend it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import type { RampView } from "../../src/core/ramps.ts";
import type { ReleaseView, Revision } from "../../src/core/types.ts";
import type { Cluster } from "../support/cluster.ts";
import { mustSend, seed, send, startDemo, type Problem } from "./rig.ts";

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
  const name = `ramped-${made}`;
  await seed(url, name);
  return name;
}

type Read = { revision: number; ramp: RampView | null };

const post = (prompt: string, rest: string, body: object = {}, headers = {}) =>
  send(url, {
    method: "POST",
    path: `/admin/prompts/${prompt}/${rest}`,
    body: JSON.stringify(body),
    headers,
  });
const act = async (prompt: string, rest: string, body: object = {}): Promise<ReleaseView> => {
  const response = await post(prompt, rest, body);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as ReleaseView;
};
const refuse = async (prompt: string, rest: string, body: object = {}): Promise<Problem> => {
  const response = await post(prompt, rest, body);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as Problem;
};
const readRamp = (prompt: string, query = "") =>
  mustSend<Read>(url, { method: "GET", path: `/admin/prompts/${prompt}/ramp${query}` });

describe("a ramp", () => {
  it("begins with the usual plan where nothing is said, and is in the release and under its own address", async () => {
    const prompt = await createPrompt();
    expect(await readRamp(prompt)).toEqual({ prompt, environment: "production", revision: 1, ramp: null });
    const release = await act(prompt, "ramp", { version: 2, reason: "shorter answers" });
    expect(OPERATIONS.startRamp.response.safeParse(release).error).toBe(undefined);
    expect(release).toMatchObject({ revision: 2, action: "ramp", reason: "shorter answers" });
    expect(release.arms).toMatchObject([{ weight: 95 }, { version: 2, weight: 5, arm: "canary" }]);
    const read = await readRamp(prompt);
    expect(OPERATIONS.getRamp.response.safeParse(read).error).toBe(undefined);
    expect(read.ramp).toMatchObject({
      state: "running",
      steps: [5, 25, 50, 100],
      step: 0,
      weight: 5,
      bakeMs: 600_000,
      holdback: 5,
      startedBy: "admin",
      says: expect.stringMatching(/^10 m at 5 %, .* to go$/),
    });
  });

  it("is paused, resumed and stopped, each a line in the audit log", async () => {
    const prompt = await createPrompt();
    const plan = { version: 2, steps: [10, 100], bakeMs: 60_000, holdback: 0, holdbackMs: 0, askAfterMs: 1 };
    const ids = { environment: "staging" };
    await act(prompt, "ramp", { ...plan, ...ids });
    expect((await act(prompt, "ramp/pause", { ...ids, reason: "lunch" })).ramp).toMatchObject({
      state: "paused",
      notBefore: null,
    });
    expect((await act(prompt, "ramp/resume", ids)).ramp).toMatchObject({ state: "running", bakeMs: 60_000 });
    const stopped = await act(prompt, "ramp/stop", ids);
    expect(stopped).not.toHaveProperty("ramp");
    expect(stopped.arms).toMatchObject([{ weight: 90 }, { weight: 10 }]);
    const log = await mustSend<{ revisions: Revision[] }>(url, {
      method: "GET",
      path: `/admin/prompts/${prompt}/revisions?environment=staging`,
    });
    expect(OPERATIONS.listRevisions.response.safeParse(log).error).toBe(undefined);
    expect(log.revisions.map(({ reason, ramp }) => [ramp?.event, reason])).toEqual([
      ["stop", ""],
      ["resume", ""],
      ["pause", "lunch"],
      ["start", ""],
    ]);
    expect((await readRamp(prompt)).ramp).toBeNull();
    expect(await refuse(prompt, "ramp/stop", ids)).toMatchObject({ status: 409, code: "conflict" });
  });

  it("that a rollback ended is gone, and the log says so", async () => {
    const prompt = await createPrompt();
    await act(prompt, "ramp", { version: 2 });
    await act(prompt, "rollback", { reason: "wrong refunds" });
    expect((await readRamp(prompt)).ramp).toBeNull();
    const log = await mustSend<{ revisions: Revision[] }>(url, {
      method: "GET",
      path: `/admin/prompts/${prompt}/revisions`,
    });
    expect(log.revisions[0]).toMatchObject({ action: "rollback", ramp: { event: "end", version: 2 } });
  });

  it("is started once under one key, and not against a revision that has passed", async () => {
    const prompt = await createPrompt();
    const stale = await post(prompt, "ramp", { version: 2 }, { "if-match": '"7"' });
    expect(stale.status).toBe(412);
    const headers = { "if-match": '"1"', "idempotency-key": `start-${prompt}` };
    const answers = [];
    for (let time = 0; time < 2; time += 1) {
      const response = await post(prompt, "ramp", { version: 2 }, headers);
      expect(response.headers.get("etag")).toBe('"2"');
      answers.push(await response.text());
    }
    expect(answers[1]).toBe(answers[0]);
    expect((await readRamp(prompt)).revision).toBe(2);
  });
});

describe("what is refused", () => {
  it.each([
    [{ steps: [25, 5, 100] }, "steps", "ascend"],
    [{ steps: [5, 25] }, "steps", "add 100"],
    [{ steps: [0, 100] }, "steps", "above 0"],
    [{ steps: [5, 200] }, "steps[1]", "100"],
    [{ steps: [5.001, 100] }, "steps[0]", "0.01"],
    [{ steps: Array.from({ length: 21 }, (_, at) => at + 80) }, "steps", "20"],
    [{ steps: "5,100" }, "steps", "array"],
    [{ steps: [50, 98, 100] }, "holdback", "at most 2"],
    [{ bakeMs: "10m" }, "bakeMs", "milliseconds"],
    [{ bakeMs: -1 }, "bakeMs", "0"],
    [{ bake: 600_000 }, "bake", "not known"],
    [{ version: 1 }, "version", "baseline"],
    [{ version: 9 }, "version", "no version 9"],
  ])("%j names %s and the mend", async (plan, field, says) => {
    const problem = await refuse("support-bot", "ramp", { version: 2, ...plan });
    const said = JSON.stringify(problem);
    expect(said).toContain(`"field":"${field}"`);
    expect(said.toLowerCase()).toContain(says);
  });

  it("a step has no call", async () => {
    const response = await post("support-bot", "ramp/step", { step: 0 });
    expect(response.status).toBe(404);
  });
});
