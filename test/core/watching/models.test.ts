// A model that changed behind its name is noticed; what callers choose themselves, and what providers rotate every day, is
// not called a change.

import { describe, expect, it } from "vitest";
import { addModels, createModelWatch, familyOf, type ModelWatch } from "../../../src/core/watching/models.ts";
import { RECENT_MODEL_MS, conclude } from "../../../src/core/watching/conclude.ts";
import { createRelease, Watched } from "./support.ts";

const MINI = "gpt-5.4-mini-2026-03-17";

function feed(
  rounds: { [seen: string]: number }[],
  {
    forced = null,
    asked = [],
    held = createModelWatch(),
  }: { forced?: string | null; asked?: string[]; held?: ModelWatch } = {},
): ModelWatch {
  return rounds.reduce<ModelWatch>(
    (watch, seen, index) =>
      addModels(JSON.parse(JSON.stringify(watch)), seen, { forced, asked, nowMs: 1_000 * index }),
    held,
  );
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);
const warm = (seen: { [name: string]: number }) => times(10, seen);
const changesOf = ({ changes }: ModelWatch) => changes.map(({ from, to }) => `${from} → ${to}`);

describe("a model that changed", () => {
  it("is another snapshot or another fingerprint of the same family", () => {
    const snapshot = feed([...warm({ [MINI]: 30 }), { "gpt-5.4-mini-2026-09-01": 30 }]);
    expect(changesOf(snapshot)).toEqual([`${MINI} → gpt-5.4-mini-2026-09-01`]);
    expect(snapshot.changes[0]).toMatchObject({ asked: null, since: new Date(10_000).toISOString() });
    const build = feed([...warm({ [`${MINI} fp_1`]: 30 }), { [`${MINI} fp_2`]: 6, [`${MINI} fp_1`]: 24 }]);
    expect(changesOf(build)).toEqual([`${MINI} fp_1 → ${MINI} fp_2`]);
  });

  it("is told once, and its way back is none", () => {
    const there = [...warm({ [MINI]: 30 }), ...times(5, { "gpt-5.4-mini-2026-09-01": 30 })];
    expect(feed([...there, ...times(5, { [MINI]: 30 })]).changes).toHaveLength(1);
  });

  it("is found though it comes in slowly", () => {
    const rounds = [0, 1, 2, 3, 9].map((few) => ({ [MINI]: 30 - few, "gpt-5.4-mini-2026-09-01": few }));
    const found = feed([...warm({ [MINI]: 30 }), ...rounds]);
    expect(found.changes).toMatchObject([{ since: new Date(11_000).toISOString() }]);
  });

  it("is none of a few fingerprints that take turns, from the first or rare for long", () => {
    const rotating = { [`${MINI} fp_1`]: 12, [`${MINI} fp_2`]: 9, [`${MINI} fp_3`]: 9 };
    expect(feed(times(50, rotating)).changes).toEqual([]);
    const rare = { [`${MINI} fp_1`]: 29, [`${MINI} fp_9`]: 1 };
    expect(
      feed([...warm({ [`${MINI} fp_1`]: 30 }), ...times(25, rare), { [`${MINI} fp_9`]: 30 }]).changes,
    ).toEqual([]);
  });

  it("is none where a caller takes another model, asks for a snapshot by name, or uses an API without fingerprints", () => {
    expect(feed([...warm({ [MINI]: 30 }), ...times(20, { "claude-sonnet-5": 30 })]).changes).toEqual([]);
    const asked = ["gpt-5.4-mini-2026-09-01"];
    expect(feed([...warm({ [MINI]: 30 }), { "gpt-5.4-mini-2026-09-01": 30 }], { asked }).changes).toEqual([]);
    expect(feed([...warm({ [`${MINI} fp_1`]: 30 }), { [MINI]: 30 }]).changes).toEqual([]);
  });

  it("is one across families where the version itself asks for the model", () => {
    const forced = "gpt-5.4-mini";
    const found = feed([...warm({ [MINI]: 30 }), { "gpt-5.4-nano-2026-03-17": 30 }], { forced });
    expect(found.changes).toMatchObject([{ asked: forced, to: "gpt-5.4-nano-2026-03-17" }]);
  });

  it("is none of a handful of answers, nor before anything is usual", () => {
    expect(feed([...warm({ [MINI]: 30 }), { "gpt-5.4-mini-2026-09-01": 29 }]).changes).toEqual([]);
    expect(feed([{ [MINI]: 100 }, { "gpt-5.4-mini-2026-09-01": 60 }]).changes).toEqual([]);
  });

  it("keeps a bounded memory, whatever callers and providers name", () => {
    const rounds = Array.from({ length: 400 }, (_, at) => ({
      [`model${"x".repeat(at % 40)} fp_${at}`]: 40,
      [`${MINI} fp_${at}`]: 40,
    }));
    const held = feed(rounds, { asked: rounds.flatMap((round) => Object.keys(round)) });
    expect(JSON.stringify(held).length).toBeLessThan(20_000);
  });
});

describe("a family", () => {
  it.each([
    ["gpt-4o-2024-08-06", "gpt-4o"],
    ["gpt-4-0613", "gpt-4"],
    ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.anthropic.claude-sonnet-4-5"],
    ["claude-sonnet-4-5@20250929", "claude-sonnet-4-5"],
    ["gemini-1.5-pro-002", "gemini-1.5-pro"],
    ["gemini-2.5-flash-preview-05-20", "gemini-2.5-flash"],
    ["mistral-large-latest", "mistral-large"],
    ["gpt-5.4-mini", "gpt-5.4-mini"],
    ["o3", "o3"],
  ])("of %s is %s", (model, family) => {
    expect(familyOf(model)).toBe(family);
  });
});

describe("the verdict on a changed model", () => {
  const NEW = { model: "gpt-5.4-mini-2026-09-01 fp_7" };

  it("is told once, lasts an hour, and takes back what was proven for the ramp", () => {
    const watched = new Watched(createRelease(2, { 2: 10 }));
    watched.run(300);
    expect(watched.watch.pairs[0]!.gate.proof.logOdds).not.toBe(0);
    const proven = watched.run(0).pairs[0]!.gate.errors;
    const found = watched.run(3, { baseline: NEW, canary: NEW });
    expect(found.verdict).toBe("model changed");
    expect(found.says).toContain("gpt-5.4-mini-2026-09-01 fp_7 instead of gpt-5.4-mini-2026-03-17 fp_1");
    expect(found.pairs[0]!.gate.errors).toBeLessThan(proven);
    expect(watched.news.filter(({ kind }) => kind === "model changed")).toHaveLength(1);
    watched.nowMs += RECENT_MODEL_MS;
    expect(watched.run(5, { baseline: NEW, canary: NEW }).verdict).toBe("watching");
  });

  it("is not told where something stronger is, and a canary's model is not the baseline's", () => {
    const watched = new Watched(createRelease(2, { 2: 50 }));
    watched.run(60);
    expect(watched.run(10, { canary: NEW }).verdict).toBe("watching");
    const found = watched.run(200, { baseline: NEW, canary: { ...NEW, errors: 0.5 } });
    expect(found.verdict).toBe("prompt");
    expect(conclude(watched.watch, watched.context).pairs[0]!.isRollback).toBe(true);
  });
});
