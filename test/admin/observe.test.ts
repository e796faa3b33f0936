// What can be seen of a release over HTTP, on the shipped Worker; and every example of the documentation, run as printed.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS, operationList } from "../../src/admin/operations.ts";
import type { Metrics } from "../../src/admin/schemas.ts";
import type { Revision } from "../../src/core/types.ts";
import type { Cluster } from "../support/cluster.ts";
import { exampleOf, mustSend, PROMPT, seed, send, startDemo, type Sent } from "./rig.ts";

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

describe("what can be seen", () => {
  it("the audit log, page by page, whole and newest first", async () => {
    const prompt = await createPrompt();
    for (const weight of [1, 2, 3, 4]) await mustSend(url, post(prompt, "canary", { version: 2, weight }));
    const seen: number[] = [];
    let before = "";
    do {
      const page = await mustSend<{ revisions: Revision[]; nextBefore: number | null }>(
        url,
        get(prompt, `revisions?limit=2${before}`),
      );
      seen.push(...page.revisions.map(({ revision }) => revision));
      before = page.nextBefore === null ? "" : `&before=${page.nextBefore}`;
    } while (before !== "");
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });

  it("why a key gets what it gets", async () => {
    const prompt = await createPrompt();
    await mustSend(url, post(prompt, "canary", { version: 2, weight: 50 }));
    const versions = new Set<number>();
    for (let unit = 0; unit < 40; unit += 1) {
      const answer = await mustSend(url, get(prompt, `explain?key=user-${unit}`));
      const read = OPERATIONS.explain.response.parse(answer);
      expect(read).toMatchObject({ prompt, environment: "production", key: `user-${unit}`, revision: 2 });
      const slot = read.slots.find(({ from, to }) => from <= read.bucket && read.bucket < to);
      expect(slot?.version).toBe(read.version);
      versions.add(read.version);
    }
    expect([...versions].toSorted()).toEqual([1, 2]);
  });

  it("no metrics where there was no request", async () => {
    const prompt = await createPrompt();
    const nothing = {
      prompt,
      environment: "production",
      arms: [],
      versions: [],
      fallbacks: [],
      comparisons: [],
    };
    const metrics = await mustSend<Metrics>(url, get(prompt, "metrics"));
    expect(metrics).toEqual({ ...nothing, since: null, until: metrics.until });
    const charted = await mustSend<Metrics>(url, get(prompt, "metrics?window=1h&step=60"));
    expect(charted).toMatchObject({ ...nothing, series: { stepS: 60, points: [] } });
    expect(Date.parse(charted.until) - Date.parse(charted.since!)).toBeLessThan(3_602_000);
  });

  it.each([
    ["window=15", "window"],
    ["window=32d", "window"],
    ["window=0h", "window"],
    ["step=60", "step"],
    ["window=1h&step=7", "step"],
    ["window=1h&step=90", "step"],
    ["window=2h&step=30", "step"],
    ["window=24h&step=60", "step"],
    ["window=31d&step=90m", "step"],
    ["window=5m&step=1h", "step"],
    ["window=1h&step=5m&steps=1", "steps"],
  ])("no metrics of what is not kept or cannot be shown: %s", async (query, field) => {
    const refused = await send(url, get(PROMPT, `metrics?${query}`));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: "invalid_request", field });
  });
});

/** Ids that nobody can know beforehand: of a token, of a key, of an answer. */
const TAKES_UNKNOWN_ID = /^(revokeToken|revokeKey|giveFeedback)$/;

describe("the examples of the documentation", () => {
  it.each(operationList.filter(({ id }) => !TAKES_UNKNOWN_ID.test(id)))(
    "$id does what it says, and answers as its schema says",
    async (operation) => {
      const prompt = await createPrompt();
      // Something to go back from.
      if (operation.id === "rollback") await mustSend(url, post(prompt, "canary", { version: 2, weight: 5 }));
      // Something to turn.
      if (/^(pause|resume|stop)Ramp$/.test(operation.id))
        await mustSend(url, post(prompt, "ramp", { version: 2 }));
      const sent = exampleOf(operation);
      const response = await send(url, { ...sent, path: sent.path.replace("support-bot", prompt) });
      const text = await response.text();
      expect(operation.statuses.success, text).toContain(response.status);
      expect(operation.response.safeParse(JSON.parse(text)).error).toBe(undefined);
    },
  );
});
