// Was it the prompt? An hour of simulated traffic for each story that on-call people know, through the same sums, series and
// comparisons as Control's. Guarantees: the culprit comes first; with both arms alike the prompt is never among the
// suspects; without a symptom nobody is suspected, whatever changed.

import { describe, expect, test } from "vitest";
import { diagnose } from "../../src/core/diagnose.ts";
import type { HealthView } from "../../src/core/health.ts";
import { after, causes, onsetMinute, revisionAt, seenValue, tell, THEN } from "./support/stories.ts";

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
