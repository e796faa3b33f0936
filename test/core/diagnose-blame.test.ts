// Whom a diagnosis may blame, when more than one thing happened in the window. Guarantees: a canary that was taken off long
// before the baseline's own trouble is in the timeline only; what failed before, or was pinned, does not say who it was; what
// is over is said to be over; weak evidence is worded as such.

import { describe, expect, test } from "vitest";
import { diagnose } from "../../src/core/diagnose.ts";
import type { Diagnosis, Evidence } from "../../src/core/diagnosis.ts";
import type { HealthView } from "../../src/core/health.ts";
import type { MetricComparison } from "../../src/core/metrics-view.ts";
import {
  causes,
  onsetMinute,
  releaseOf,
  revisionAt,
  rollbackAt,
  tell,
  type Minute,
} from "./support/stories.ts";

const SHARE = 0.2;
const LENGTH = 300;
const NOW_BAD = 270;
const incident: Minute = { baseline: { errors: 0.3 }, errorClass: "overloaded" };
const onMinute = (minute: number) =>
  new Date(Date.parse("2026-03-01T12:00:00Z") + minute * 60_000).toISOString();

/** A bad canary from minute 10 to 40, and from `NOW_BAD` on the provider's incident. */
const canaryThenIncident = (minute: number): Minute => {
  if (minute >= 10 && minute < 40)
    return { share: SHARE, canary: { errors: 0.9 }, errorClass: "invalid_request" };
  return minute >= NOW_BAD ? incident : { errorClass: "invalid_request" };
};
const canaryOnAt = (minute: number) => {
  return { ...revisionAt(minute, 1, 1), after: releaseOf(1, SHARE), action: "canary" as const };
};
const upstreamSince = (minute: number) => {
  const upstream = [{ metric: "errors", usualRate: 0.01, rate: 0.3, since: onMinute(minute) }];
  return { upstream, comparisons: [] } as unknown as HealthView;
};

/** An incident that is over, and another from `NOW_BAD` on. */
const twoIncidents = (minute: number): Minute => {
  if (minute >= 60 && minute < 150) return { baseline: { errors: 0.8 }, errorClass: "server_error" };
  return minute < NOW_BAD ? {} : incident;
};
const shortIncident = (minute: number): Minute =>
  minute >= 20 && minute < 26 ? incident : { baseline: { errors: 0.1 }, errorClass: "invalid_request" };
const shareSaid = ({ suspects }: Diagnosis) =>
  /([\d.]+) % of the errors are/.exec([...suspects[0]!.for, ...suspects[0]!.against].join("; "))?.[1];
const late = (before: Minute) => (minute: number) => (minute >= 50 ? incident : before);

/** A pair of few requests, slower by `z` standard errors. */
const slower = (z: number): Evidence => {
  const evidence = tell({ minutes: () => ({}) });
  const [value, error] = [Math.log(2.5), Math.log(2.5) / z];
  const ratio = { value: 2.5, low: Math.exp(value - 1.96 * error), high: Math.exp(value + 1.96 * error) };
  const latency = { metric: "latency", kind: "typical", difference: null, ratio, designEffect: 1 } as const;
  const metric: MetricComparison = {
    ...latency,
    baseline: { units: 43, value: 4 },
    canary: { units: 17, value: 10 },
  };
  const pair = { baseline: 1, canary: 2, revisions: { from: 1, to: 2 }, metrics: [metric] };
  return { ...evidence, metrics: { ...evidence.metrics, comparisons: [pair] } };
};

describe("callers that are not let in", () => {
  const refused: Minute = { baseline: { errors: 0.5 }, errorClass: "credentials" };

  test.each([
    ["in the baseline", (minute: number) => (minute >= 30 ? refused : {}), []],
    [
      "in a canary alone",
      (minute: number): Minute =>
        minute >= 30
          ? { share: SHARE, canary: { errors: 0.9 }, errorClass: "credentials" }
          : { share: SHARE },
      [],
    ],
    [
      "after another version became the baseline",
      (minute: number): Minute => (minute >= 30 ? { ...refused, version: 2 } : {}),
      [revisionAt(30, 1, 2)],
    ],
  ])("are named before anybody else, %s", (_, minutes, revisions) => {
    const found = diagnose(tell({ minutes, ...(revisions.length > 0 && { revisions }) }));
    expect(causes(found)[0]).toBe("credentials");
    expect(found.summary).toMatch(/^Likeliest: credentials/);
    expect(found.summary).not.toMatch(/the prompt|the provider/);
  });
});

describe("a canary that was rolled back hours ago", () => {
  const evidence = tell({
    minutes: canaryThenIncident,
    length: LENGTH,
    revisions: [rollbackAt(40, SHARE), canaryOnAt(10)],
  });
  const withoutOnset: Evidence = {
    ...tell({ minutes: (minute) => (minute < 40 ? canaryThenIncident(minute) : {}), length: LENGTH }),
    revisions: [rollbackAt(40, SHARE), canaryOnAt(10)],
  };

  test.each([
    ["the baseline's own errors", { ...evidence, health: null }],
    ["these, and the live watch", { ...evidence, health: upstreamSince(NOW_BAD) }],
  ])("is not blamed for %s, and stands in the timeline", (_, found) => {
    const diagnosis = diagnose(found);
    expect(causes(diagnosis)).toEqual(["upstream"]);
    expect(diagnosis.summary).toMatch(/^Likeliest: the provider\. Since /);
    expect(onsetMinute(diagnosis)).toBe(NOW_BAD);
    expect(diagnosis.timeline.map(({ says }) => says).join("; ")).toContain("rollback by guardrail");
  });

  test("is not blamed for what the live watch alone has seen", () => {
    const diagnosis = diagnose({ ...withoutOnset, health: upstreamSince(299) });
    expect(causes(diagnosis)).toEqual(["upstream"]);
  });

  test("is told where there is no other trouble, with when it was over", () => {
    const diagnosis = diagnose(withoutOnset);
    expect(causes(diagnosis)).toEqual(["prompt"]);
    expect(diagnosis.onset).toMatchObject({ at: onMinute(10), until: onMinute(40) });
    expect(diagnosis.summary).toContain(`From ${onMinute(10)} until ${onMinute(40)} errors rose`);
  });

  test("is blamed, too, where it came off as the trouble began, or is back", () => {
    const off = { ...evidence, revisions: [rollbackAt(NOW_BAD + 5, SHARE), canaryOnAt(10)] };
    const back = { ...evidence, revisions: [canaryOnAt(200), rollbackAt(40, SHARE), canaryOnAt(10)] };
    for (const found of [off, back])
      expect(causes(diagnose(found)).toSorted()).toEqual(["prompt", "upstream"]);
  });
});

describe("an incident that goes on", () => {
  test("comes before a worse one that is over, which stands in the timeline until it ended", () => {
    const diagnosis = diagnose(tell({ minutes: twoIncidents, length: LENGTH }));
    expect(onsetMinute(diagnosis)).toBe(NOW_BAD);
    expect(diagnosis.onset).toMatchObject({ until: null, metric: "errors" });
    expect(diagnosis.onset!.before).toBeLessThan(0.02);
    const onsets = diagnosis.timeline.filter(({ kind }) => kind === "onset");
    expect(onsets.map(({ at }) => at)).toEqual([onMinute(NOW_BAD), onMinute(60)]);
    expect(onsets[1]!.says).toContain(`until ${onMinute(150)}`);
  });

  test("is the new version's, where the old one had an incident that was over", () => {
    const minutes = (minute: number): Minute =>
      minute < NOW_BAD
        ? { baseline: { errors: minute >= 60 && minute < 150 ? 0.8 : 0.01 }, errorClass: "server_error" }
        : { version: 2, baseline: { errors: 0.3 }, errorClass: "invalid_request" };
    const diagnosis = diagnose(tell({ minutes, length: LENGTH, revisions: [revisionAt(NOW_BAD, 1, 2)] }));
    expect(causes(diagnosis)).toEqual(["prompt"]);
    expect(onsetMinute(diagnosis)).toBe(NOW_BAD);
  });

  test("that was over before a bad canary came is not the canary's, nor the other way round", () => {
    const minutes = (minute: number): Minute =>
      minute >= NOW_BAD
        ? { share: 0.05, canary: { latency: 3 } }
        : { baseline: { errors: minute >= 60 && minute < 150 ? 0.8 : 0.01 } };
    const diagnosis = diagnose(tell({ minutes, length: LENGTH }));
    expect(causes(diagnosis)).toEqual(["prompt"]);
    expect(diagnosis.onset).toMatchObject({ at: onMinute(NOW_BAD), until: null, metric: "latency" });
  });
});

describe("whose kind errors are", () => {
  test("is counted from when it began: what failed before does not decide", () => {
    const before: Minute = { baseline: { errors: 0.18 }, errorClass: "invalid_request" };
    const diagnosis = diagnose(tell({ minutes: late(before) }));
    expect(shareSaid(diagnosis)).toBe("100");
    expect(diagnosis.suspects[0]!.weight).toBe(0.75);
  });

  test("is counted until it was over", () => {
    expect(shareSaid(diagnose(tell({ minutes: shortIncident })))).toBe("100");
  });

  test("is counted without requests that name their version themselves", () => {
    const pinned = { errors: 100, errorClass: "invalid_request" as const };
    const minutes = (minute: number): Minute => ({ ...late({})(minute), pinned });
    expect(shareSaid(diagnose(tell({ minutes })))).toBe("100");
  });
});

describe("weak evidence", () => {
  test("makes a suspect perhaps, strong evidence the likeliest", () => {
    const weak = diagnose(slower(3.6));
    expect(weak.suspects).toMatchObject([{ cause: "prompt", weight: 0.58 }]);
    expect(weak.summary).toMatch(/^Perhaps: the prompt\./);
    expect(diagnose(slower(6)).summary).toMatch(/^Likeliest: the prompt\./);
  });
});
