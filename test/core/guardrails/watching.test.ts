// A rollout under watch: what is found, by which numbers, whose fault it is called, and that a state from storage goes on
// as the one that was stored.

import { describe, expect, it } from "vitest";
import { createArmSums, isFull, mergeArmSums } from "../../../src/core/guardrails/arm-sums.ts";
import { createCountGuard } from "../../../src/core/guardrails/count-guard.ts";
import { gather, MOST_GATHERINGS } from "../../../src/core/guardrails/gather.ts";
import { alphaShare, applySettings, GUARDS } from "../../../src/core/guardrails/guards.ts";
import { createMeanGuard } from "../../../src/core/guardrails/mean-guard.ts";
import { addToUpstream, createUpstream, judge } from "../../../src/core/guardrails/verdict.ts";
import { addStratum, createWatch, findCrossings } from "../../../src/core/guardrails/watch.ts";
import type { GuardrailSettings } from "../../../src/core/watch-settings.ts";
import { createRandom } from "../../../bench/guardrails/random.ts";
import { drawStratum, HEALTHY, type Arm } from "../../../bench/guardrails/world.ts";

const withThumbs = (epoch: number, units: number) => ({
  epoch,
  baseline: { ...createArmSums(), thumbs: { units, bad: 1 } },
  canary: createArmSums(),
});

describe("the sums of an arm", () => {
  it("merge to what one report would have been", () => {
    const arms = { baseline: HEALTHY, canary: HEALTHY };
    const random = createRandom(1);
    const [one, other] = [drawStratum(40, 0.5, arms, random), drawStratum(60, 0.5, arms, random)];
    const merged = mergeArmSums(one.baseline, other.baseline);
    expect(merged.requests).toBe(one.baseline.requests + other.baseline.requests);
    expect(mergeArmSums(createArmSums(), one.canary)).toEqual(one.canary);
    expect(mergeArmSums(other.baseline, one.baseline)).toEqual(merged);
    expect(isFull(one)).toBe(true);
    expect(isFull(drawStratum(19, 0.5, arms, random))).toBe(false);
  });

  it("never put thumbs of two epochs together, for the split was another", () => {
    const first = gather([], withThumbs(1, 12));
    expect(first.thumbs).toEqual([]);
    const second = gather(first.rest, withThumbs(2, 12));
    expect(second.thumbs).toEqual([]);
    const late = gather(second.rest, withThumbs(1, 12));
    expect(late.thumbs.map(({ baseline }) => baseline.units)).toEqual([24]);
    expect(late.rest.map(({ epoch, thumbs }) => [epoch, thumbs.baseline.units])).toEqual([[2, 12]]);
    expect(gather(late.rest, withThumbs(2, 12)).thumbs.map(({ baseline }) => baseline.units)).toEqual([24]);
  });

  it("compare thumbs of the oldest epoch as they are once too many are open, and lose none", () => {
    let rest: ReturnType<typeof gather>["rest"] = [];
    const closed: number[] = [];
    for (let epoch = 1; epoch <= MOST_GATHERINGS + 2; epoch += 1) {
      const step = gather(rest, withThumbs(epoch, 3));
      rest = step.rest;
      closed.push(...step.thumbs.map(({ baseline }) => baseline.units));
    }
    expect(closed).toEqual([3, 3]);
    expect(rest.map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: MOST_GATHERINGS }, (_, at) => at + 3),
    );
  });
});

const watchFor = (strata: number, canary = HEALTHY, settings: GuardrailSettings = {}) => {
  const specs = applySettings(settings);
  const random = createRandom(21);
  let watch = createWatch();
  for (let at = 0; at < strata; at += 1) {
    watch = addStratum(watch, drawStratum(50, 0.1, { baseline: HEALTHY, canary }, random), specs);
  }
  return findCrossings(watch, specs);
};

describe("a rollout under watch", () => {
  it("names the guardrail, the numbers and the evidence of what it found", () => {
    const [found] = watchFor(200, { ...HEALTHY, errors: 0.2 });
    expect(found).toMatchObject({ metric: "errors", action: "rollback" });
    expect(found!.evidence).toBeGreaterThanOrEqual(found!.threshold);
    expect(found!.effect).toBeGreaterThan(8);
    expect(found!.canary.bad! / found!.canary.units).toBeCloseTo(0.2, 1);
  });

  it("finds nothing where nothing is", () => {
    expect(watchFor(500)).toEqual([]);
  });

  it("notifies instead of rolling back, or does not look, where it is told to", () => {
    const bad = { ...HEALTHY, errors: 0.2 };
    expect(watchFor(200, bad, { errors: { action: "notify" } }).map(({ action }) => action)).toContain(
      "notify",
    );
    expect(watchFor(200, bad, { errors: { action: "off" } }).map(({ metric }) => metric)).not.toContain(
      "errors",
    );
  });

  it("shares one budget among those that may roll back", () => {
    const rolling = GUARDS.filter(({ action }) => action === "rollback").length;
    expect(alphaShare()).toBeCloseTo(0.01 / rolling, 12);
    expect(alphaShare(applySettings({ errors: { action: "notify" } }))).toBeCloseTo(0.01 / (rolling - 1), 12);
  });

  it("gives the same verdict from a state that went through storage", () => {
    const random = createRandom(2);
    let kept = createWatch();
    let stored = createWatch();
    for (let at = 0; at < 100; at += 1) {
      const stratum = drawStratum(
        50,
        0.1,
        { baseline: HEALTHY, canary: { ...HEALTHY, errors: 0.1 } },
        random,
      );
      kept = addStratum(kept, stratum);
      stored = addStratum(JSON.parse(JSON.stringify(stored)), stratum);
    }
    expect(findCrossings(stored)).toEqual(findCrossings(kept));
  });

  it("takes nothing off for evidence that is no number", () => {
    const state = createWatch();
    for (const [metric, guard] of [
      ["errors", { ...createCountGuard(), peakLogEvidence: Number.NaN }],
      ["latency", { ...createMeanGuard(), peakMargin: Number.NaN }],
    ] as const) {
      expect(findCrossings({ ...state, guards: { [metric]: guard } })).toEqual([]);
    }
  });
});

const judgeAfter = (from: { baseline?: Arm; canary?: Arm }, share = 0.1) => {
  const random = createRandom(31);
  let watch = createWatch();
  let upstream = createUpstream();
  for (let at = 0; at < 400; at += 1) {
    const arms = {
      baseline: (at < 200 ? undefined : from.baseline) ?? HEALTHY,
      canary: (at < 200 ? undefined : from.canary) ?? HEALTHY,
    };
    const stratum = drawStratum(50, share, arms, random);
    upstream = addToUpstream(JSON.parse(JSON.stringify(upstream)), stratum, watch.usual, at * 1_000);
    watch = addStratum(watch, stratum);
  }
  return judge(watch, upstream);
};

describe("a verdict", () => {
  const failing = { ...HEALTHY, errors: 0.1 };

  it("is to watch while nothing is found, and to wait while there is nothing to compare", () => {
    expect(judgeAfter({})).toMatchObject({ kind: "watching", isRollback: false, isFrozen: false });
    expect(judgeAfter({}, 0)).toMatchObject({ kind: "waiting", isRollback: false, isFrozen: true });
  });

  it("blames the prompt for what the canary alone does", () => {
    expect(judgeAfter({ canary: { ...HEALTHY, errors: 0.2 } })).toMatchObject({
      kind: "prompt",
      isRollback: true,
    });
  });

  it("rolls nothing back for what both do, freezes the ramp and says by how much", () => {
    const verdict = judgeAfter({ baseline: failing, canary: failing });
    expect(verdict).toMatchObject({ kind: "upstream", isRollback: false, isFrozen: true });
    const change = verdict.changes.find(({ metric }) => metric === "errors")!;
    expect(change.usualRate).toBeCloseTo(0.01, 2);
    expect(change.rate).toBeCloseTo(0.1, 1);
  });

  it("sees a provider that has only become slow", () => {
    const slow = { ...HEALTHY, latency: 2.5 };
    expect(judgeAfter({ baseline: slow, canary: slow }).changes.map(({ metric }) => metric)).toEqual([
      "latency_tail",
    ]);
  });

  it("names both where the canary is worse still", () => {
    const verdict = judgeAfter({ baseline: failing, canary: { ...HEALTHY, errors: 0.5 } });
    expect(verdict).toMatchObject({ kind: "prompt+upstream", isRollback: true });
  });
});
