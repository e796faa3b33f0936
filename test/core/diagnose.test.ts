// Was it the prompt? An hour of simulated traffic for each story that on-call people know, through the same sums, series and
// comparisons as Control's. Guarantees: the culprit comes first; with both arms alike the prompt is never among the
// suspects; without a symptom nobody is suspected, whatever changed.

import { describe, expect, test } from "vitest";
import { compareArms } from "../../src/core/comparison.ts";
import { diagnose } from "../../src/core/diagnose.ts";
import type { Diagnosis, Evidence } from "../../src/core/diagnosis.ts";
import type { HealthView } from "../../src/core/health.ts";
import type { ErrorClass } from "../../src/core/metering/outcome.ts";
import { addTo, keyOf } from "../../src/core/metering/tally.ts";
import type { SeriesPoint } from "../../src/core/metrics-view.ts";
import { findOnset } from "../../src/core/onset.ts";
import type { SeenValue } from "../../src/core/seen.ts";
import { addToPoints, viewPoints, type Point } from "../../src/core/series-points.ts";
import { summarizeTallies } from "../../src/core/summary.ts";
import type { Release, Revision, Tally } from "../../src/core/types.ts";
import { createRandom } from "../../bench/guardrails/random.ts";
import { drawTallies, USUAL, type TrafficArm } from "../../bench/guardrails/traffic.ts";

const MINUTE_MS = 60_000;
const START_MS = Date.parse("2026-03-01T12:00:00Z");
const MINUTES = 60;
/** The minute that it happens in. */
const THEN = 30;

type Minute = {
  baseline?: Partial<TrafficArm>;
  canary?: Partial<TrafficArm>;
  share?: number;
  version?: number;
  errorClass?: ErrorClass;
};

type Story = {
  minutes: (minute: number) => Minute;
  seen?: SeenValue[];
  revisions?: Revision[];
  seed?: number;
};

function tell({ minutes, seen = [], revisions = [], seed = 1 }: Story): Evidence {
  const random = createRandom(seed);
  const all = new Map<string, Tally>();
  const points = new Map<string, Point>();
  for (let minute = 0; minute < MINUTES; minute++) {
    const { baseline, canary, share = 0, version = 1, errorClass } = minutes(minute);
    const arms = { baseline: { ...USUAL, ...baseline }, canary: { ...USUAL, ...canary } };
    const versions = { baseline: version, canary: 2 };
    for (const tally of drawTallies(100, { revision: share === 0 ? 1 : 2, versions, share, arms }, random)) {
      if (errorClass !== undefined) tally.sums!.errorClasses = { [errorClass]: tally.errors };
      addTo(all, keyOf(tally), structuredClone(tally));
      addToPoints(points, START_MS / 1_000 + minute * 60, tally);
    }
  }
  const untilMs = START_MS + MINUTES * MINUTE_MS;
  const until = new Date(untilMs).toISOString();
  return {
    prompt: "support-bot",
    environment: "production",
    sinceMs: START_MS,
    untilMs,
    metrics: {
      environment: "production",
      since: new Date(START_MS).toISOString(),
      until,
      ...summarizeTallies([...all.values()]),
      comparisons: compareArms([...all.values()]),
      series: { stepS: 60, points: viewPoints(points.values()) },
    },
    revisions,
    events: [],
    seen,
    health: null,
  };
}

function seenValue(
  more: Partial<SeenValue> & Pick<SeenValue, "kind" | "value">,
  atMinute: number,
): SeenValue {
  const firstMs = START_MS + atMinute * MINUTE_MS;
  const lastMs = START_MS + MINUTES * MINUTE_MS;
  return { version: more.kind === "response" ? 1 : 0, firstMs, lastMs, requests: 1_000, ...more };
}

function releaseOf(baseline: number): Release {
  return { baseline, arms: [{ version: baseline, weight: 100 }] } as unknown as Release;
}

function revisionAt(minute: number, from: number, to: number): Revision {
  const at = new Date(START_MS + minute * MINUTE_MS).toISOString();
  const head = { prompt: "support-bot", environment: "production", revision: 9, actor: "ada" };
  return { ...head, at, action: "promote", reason: "", before: releaseOf(from), after: releaseOf(to) };
}

const causes = ({ suspects }: Diagnosis) => suspects.map(({ cause }) => cause);
const onsetMinute = ({ onset }: Diagnosis) => (Date.parse(onset!.at) - START_MS) / MINUTE_MS;
const after = (minute: number, then: Minute, before: Minute = {}): Minute => (minute >= THEN ? then : before);
const newTools = [
  seenValue({ kind: "tools", value: "tools-old" }, -600),
  seenValue({ kind: "tools", value: "tools-new" }, THEN),
];
const newModel = [
  seenValue({ kind: "response", value: "m-1 fp_1" }, -600),
  seenValue({ kind: "response", value: "m-1 fp_2" }, THEN),
];
const SPLIT = 0.2;

describe("the story of", () => {
  test("a bad prompt as a canary: the prompt alone, since the canary is there, with both rates", () => {
    const found = diagnose(
      tell({
        minutes: (minute) =>
          after(minute, { share: SPLIT, canary: { errors: 0.2 }, errorClass: "invalid_request" }),
      }),
    );
    expect(causes(found)).toEqual(["prompt"]);
    expect(found.suspects[0]!.for[0]).toMatch(/failed: \d+(\.\d+)? % of v2, \d+(\.\d+)? % of v1/);
    expect(found.onset).toMatchObject({ metric: "errors" });
    expect(onsetMinute(found)).toBe(THEN);
    expect(found.summary).toContain("the prompt");
    expect(found.errorClasses.find(({ version }) => version === 2)!.classes).toHaveProperty(
      "invalid_request",
    );
  });

  test("a bad prompt that went to everybody at once: the prompt, by the revision that did it", () => {
    const found = diagnose(
      tell({
        minutes: (minute) =>
          after(minute, { version: 2, baseline: { errors: 0.2 }, errorClass: "invalid_request" }),
        revisions: [revisionAt(THEN, 1, 2)],
      }),
    );
    expect(causes(found)).toEqual(["prompt"]);
    expect(found.suspects[0]!.for).toEqual([expect.stringContaining("revision 9, promote by ada")]);
    expect(onsetMinute(found)).toBe(THEN);
  });

  test("a slow prompt as a canary: the prompt, by latency", () => {
    const found = diagnose(
      tell({ minutes: (minute) => after(minute, { share: SPLIT, canary: { latency: 2 } }) }),
    );
    expect(causes(found)).toEqual(["prompt"]);
    expect(found.suspects[0]!.for.join("; ")).toContain("latency");
  });

  test("a provider's incident: the provider, and the prompt not among the suspects", () => {
    const bad = { errors: 0.3 };
    const found = diagnose(
      tell({
        minutes: (minute) => after(minute, { share: SPLIT, baseline: bad, canary: bad }, { share: SPLIT }),
      }),
    );
    expect(causes(found)).toEqual(["upstream"]);
    expect(found.suspects[0]!.for.join("; ")).toMatch(/both arms are alike.*providers make/);
    expect(onsetMinute(found)).toBe(THEN);
  });

  test("a provider's incident that is over: it is found all the same", () => {
    const found = diagnose(
      tell({ minutes: (minute) => ({ baseline: minute >= 20 && minute < 26 ? { errors: 0.3 } : {} }) }),
    );
    expect(causes(found)).toEqual(["upstream"]);
    expect(onsetMinute(found)).toBe(20);
  });

  test("a slow provider: the provider, by the medians", () => {
    const found = diagnose(tell({ minutes: (minute) => after(minute, { baseline: { latency: 2 } }) }));
    expect(causes(found)).toEqual(["upstream"]);
    expect(found.onset).toMatchObject({ metric: "latency" });
    expect(onsetMinute(found)).toBe(THEN);
  });

  test("another model behind the name: the model before the provider", () => {
    const found = diagnose(
      tell({ minutes: (minute) => after(minute, { baseline: { latency: 2 } }), seen: newModel }),
    );
    expect(causes(found)).toEqual(["model", "upstream"]);
    expect(found.suspects[0]!.for[0]).toBe("answers of v1 by m-1 fp_2 began (1000 since), as it began");
  });

  test("callers who deployed new tools: the callers before the provider", () => {
    const found = diagnose(
      tell({
        minutes: (minute) => after(minute, { baseline: { errors: 0.3 }, errorClass: "invalid_request" }),
        seen: newTools,
      }),
    );
    expect(causes(found)[0]).toBe("caller");
    expect(causes(found)).not.toContain("prompt");
    expect(found.suspects[0]!.for[0]).toContain("tools-new");
    expect(found.timeline.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["caller", "onset"]));
  });

  test("callers who ask for another model: their change, not the provider's", () => {
    const found = diagnose(
      tell({
        minutes: (minute) => after(minute, { baseline: { latency: 2 } }),
        seen: [
          ...newModel,
          seenValue({ kind: "model", value: "m-1" }, -600),
          seenValue({ kind: "model", value: "m-2" }, THEN),
        ],
      }),
    );
    expect(causes(found)[0]).toBe("caller");
    expect(causes(found)).not.toContain("model");
  });

  test("both: a bad prompt while the provider has an incident", () => {
    const found = diagnose(
      tell({
        minutes: (minute) =>
          after(
            minute,
            { share: 0.5, baseline: { errors: 0.2 }, canary: { errors: 0.5 } },
            { share: 0.5, canary: { errors: 0.3 } },
          ),
      }),
    );
    expect(causes(found).toSorted()).toEqual(["prompt", "upstream"]);
    expect(found.summary).toMatch(/Likeliest.*And maybe/);
  });

  test("nothing wrong: nobody is suspected, even where tools and models changed and a canary began", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const found = diagnose(
        tell({
          minutes: (minute) => after(minute, { share: SPLIT }),
          seen: [...newTools, ...newModel],
          seed,
        }),
      );
      expect(found, `seed ${seed}`).toMatchObject({ suspects: [], onset: null });
      expect(found.summary).toMatch(/^Nothing found: in 6000 requests/);
      expect(found.timeline.map(({ kind }) => kind).toSorted()).toEqual(["caller", "model"]);
    }
  });

  test("an incident with both arms alike never blames the prompt", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const bad = { errors: 0.3, latency: 1.5 };
      const { minutes } = { minutes: () => ({ share: SPLIT, baseline: bad, canary: bad }) };
      const found = diagnose(tell({ minutes: (minute) => after(minute, minutes(), { share: SPLIT }), seed }));
      expect(causes(found), `seed ${seed}`).toEqual(["upstream"]);
    }
  });

  test("what a guardrail rolled back, and the upstream detector holds, is told though the window shows no rise", () => {
    const evidence = tell({ minutes: () => ({}) });
    const rolledBack = {
      ...revisionAt(THEN, 1, 1),
      actor: "guardrail",
      action: "rollback" as const,
      reason: "errors 20 %",
    };
    const prompt = diagnose({ ...evidence, revisions: [rolledBack] });
    expect(prompt.suspects).toMatchObject([{ cause: "prompt", weight: 0.92 }]);
    expect(prompt.suspects[0]!.for[0]).toContain("errors 20 %");
    const upstream = [
      { metric: "errors" as const, usualRate: 0.01, rate: 0.2, since: evidence.metrics.until },
    ];
    const health = { upstream, comparisons: [] } as unknown as HealthView;
    expect(causes(diagnose({ ...evidence, health }))).toEqual(["upstream"]);
  });

  test("no traffic: says so", () => {
    const evidence = tell({ minutes: () => ({}) });
    const metrics = { ...evidence.metrics, arms: [], versions: [], comparisons: [] };
    const found = diagnose({ ...evidence, metrics: { ...metrics, series: { stepS: 60, points: [] } } });
    expect(found).toMatchObject({ suspects: [], onset: null });
    expect(found.summary).toContain("Nothing to go by");
  });
});

function pointsOf(rates: number[], requests = 100): SeriesPoint[] {
  return rates.map((rate, minute) => ({
    at: new Date(START_MS + minute * MINUTE_MS).toISOString(),
    version: 1,
    arm: "baseline" as const,
    requests,
    errors: Math.round(rate * requests),
    aborted: 0,
    lost: 0,
    latencyMs: null,
    firstTokenMs: null,
    outputTokens: null,
    usd: null,
  }));
}

describe("an onset", () => {
  test("is the minute that errors rose in", () => {
    const rates = [...Array(20).fill(0.01), ...Array(5).fill(0.2)] as number[];
    expect(findOnset(pointsOf(rates), MINUTE_MS)).toMatchObject({
      metric: "errors",
      before: 0.01,
      after: 0.2,
    });
  });

  test("is none where errors fell, stayed, or one came in a handful of requests", () => {
    const fell = [...Array(20).fill(0.2), ...Array(5).fill(0.01)] as number[];
    expect(findOnset(pointsOf(fell), MINUTE_MS)).toBeNull();
    expect(findOnset(pointsOf(Array(30).fill(0.05) as number[]), MINUTE_MS)).toBeNull();
    expect(findOnset(pointsOf([0, 0, 0, 0, 0.5], 20), MINUTE_MS)).not.toBeNull();
    expect(findOnset(pointsOf([0, 0, 0, 0, 0.5], 2), MINUTE_MS)).toBeNull();
    expect(findOnset([], MINUTE_MS)).toBeNull();
  });
});
