// What a scraper reads: text that parses whatever stands in a label, and numbers that are those of the tallies.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toBuckets } from "../../src/admin/prometheus-histograms.ts";
import { describeReleases, type ScrapedRelease } from "../../src/admin/prometheus.ts";
import { joinWritten, writeSamples, type Family, type Written } from "../../src/admin/prometheus-text.ts";
import { binOf } from "../../src/core/guardrails/histogram.ts";
import type { HealthView } from "../../src/core/health.ts";
import type { Outcome } from "../../src/core/metering/outcome.ts";
import { lostCalls } from "../../src/core/metering/tally.ts";
import type { ReleaseView, Tally } from "../../src/core/types.ts";
import { metered, sumsOf } from "../control/support/tallies.ts";

const RELEASE: ReleaseView = {
  prompt: "bot",
  environment: "production",
  revision: 7,
  unit: "user",
  baseline: 1,
  arms: [
    { version: 1, weight: 90, arm: "baseline", digest: "a", versionCreatedAt: "", note: "" },
    { version: 2, weight: 10, arm: "canary", digest: "b", versionCreatedAt: "", note: "" },
  ],
  draining: [],
  revoked: [],
  changedAt: "",
  changedBy: "",
  action: "canary",
  reason: "",
};

const GUARD = {
  metric: "errors",
  kind: "count",
  action: "rollback",
  says: "answers that failed",
  isCrossed: true,
  evidence: 9.5,
  threshold: 6.25,
  effect: null,
  low: null,
  high: null,
  baseline: { units: 0, bad: 0, value: null },
  canary: { units: 0, bad: 0, value: null },
  designEffect: 1,
} as const;

const HEALTH: HealthView = {
  prompt: "bot",
  environment: "production",
  revision: 7,
  verdict: "prompt",
  says: "",
  isFrozen: true,
  comparisons: [
    {
      baseline: 1,
      canary: 2,
      since: "",
      verdict: "prompt",
      says: "",
      guards: [GUARD],
      split: null,
      gate: { isOpen: false, errors: 0, time: 0, threshold: 1 },
    },
  ],
  upstream: [],
  modelChanges: [],
};

const GOOD: Outcome = {
  kind: "ok",
  status: 200,
  errorClass: null,
  isHung: false,
  firstTokenMs: 300,
  totalMs: 1_000,
  answer: {
    usage: {
      inputTokens: 50,
      outputTokens: 5,
      cachedInputTokens: 20,
      cacheWriteTokens: null,
      reasoningTokens: null,
    },
    finish: "stop",
    model: null,
    fingerprint: null,
    isSchemaFailure: null,
  },
  cost: { nanoUsd: 1_500_000, fullNanoUsd: 2_000_000 },
};
const BAD: Outcome = {
  ...GOOD,
  kind: "error",
  status: 429,
  errorClass: "rate_limited",
  answer: null,
  cost: null,
};

function tally(part: Partial<Tally>): Tally {
  return {
    revision: 7,
    version: 2,
    arm: "canary",
    reason: "split",
    started: 3,
    requests: 2,
    errors: 1,
    aborted: 0,
    sums: sumsOf([
      [GOOD, null],
      [BAD, null],
    ]),
    ...part,
  };
}

function scrapeOf(tallies: Tally[], release = RELEASE): Written[] {
  const one: ScrapedRelease = { release, health: HEALTH, tallies };
  return writeSamples(describeReleases([one]));
}

function scrape(tallies: Tally[], release = RELEASE): string {
  return joinWritten(scrapeOf(tallies, release));
}

/** `name{labels}` → value. Throws at whatever is no line of the format. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    if (/^# (HELP|TYPE) [a-z_]+ /.test(line)) continue;
    const found =
      /^([a-z_]+(?:\{[a-z_]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\]|\\["\\n])*")*\})?) (\S+)$/.exec(
        line,
      );
    if (found === null) throw new Error(`no line of the format: ${line}`);
    if (samples.has(found[1]!)) throw new Error(`twice: ${found[1]}`);
    samples.set(found[1]!, Number(found[2]));
  }
  return samples;
}

const CANARY = `prompt="bot",environment="production",version="2",arm="canary"`;

/** Calls of the canary: over, under way, lost. */
function countsIn(tallies: Tally[]) {
  const read = parse(scrape(tallies));
  return ["requests_total", "requests_open", "requests_lost"].map((name) =>
    read.get(`switchback_${name}{${CANARY}}`),
  );
}

describe("a scrape", () => {
  it("counts what the tallies of an arm count, epochs, turns and reasons together", () => {
    const read = parse(
      scrape([tally({}), tally({ revision: 8, turn: "later" }), tally({ reason: "drain" })]),
    );
    const of = (name: string, more = "") => read.get(`${name}{${CANARY}${more}}`);
    expect(of("switchback_requests_total")).toBe(6);
    expect(of("switchback_errors_total")).toBe(3);
    expect(of("switchback_requests_open")).toBe(3);
    expect(of("switchback_error_classes_total", `,error_class="rate_limited"`)).toBe(3);
    expect(of("switchback_tokens_total", `,type="input"`)).toBe(150);
    expect(of("switchback_tokens_total", `,type="cached"`)).toBe(60);
    expect(of("switchback_cost_usd_total")).toBeCloseTo(0.0045, 12);
    expect(of("switchback_full_cost_usd_total")).toBeCloseTo(0.006, 12);
    expect(of("switchback_request_duration_seconds_count")).toBe(3);
    expect(of("switchback_request_duration_seconds_sum")).toBe(3);
    expect(of("switchback_request_duration_seconds_bucket", `,le="0.64"`)).toBe(0);
    expect(of("switchback_request_duration_seconds_bucket", `,le="1.28"`)).toBe(3);
    expect(of("switchback_first_token_seconds_bucket", `,le="0.25"`)).toBe(0);
    expect(of("switchback_first_token_seconds_bucket", `,le="0.5"`)).toBe(3);
    expect(of("switchback_answer_full_cost_usd_bucket", `,le="0.001"`)).toBe(0);
    expect(of("switchback_answer_full_cost_usd_bucket", `,le="0.003"`)).toBe(3);
  });

  it("keeps what the baseline answered in a canary's stead apart", () => {
    const read = parse(
      scrape([
        tally({ version: 1, arm: "baseline" }),
        tally({ version: 1, arm: "baseline", reason: "fallback" }),
      ]),
    );
    const names = `prompt="bot",environment="production",version="1"`;
    expect(read.get(`switchback_requests_total{${names},arm="baseline"}`)).toBe(2);
    expect(read.get(`switchback_requests_total{${names},arm="fallback"}`)).toBe(2);
  });

  it("has no cost, token or time where nobody told any", () => {
    const { sums: _, ...old } = tally({});
    const text = scrape([old]);
    expect(text).toContain("switchback_requests_total");
    expect(text).not.toMatch(/cost|tokens_total|duration|thumbs/);
  });

  it("has no counter that shrinks when calls that were given up for lost come back", () => {
    const stamp = { revision: 7, version: 2, arm: "canary", reason: "split" } as const;
    const before = [tally({ started: 6 })];
    const silent = [...before, lostCalls(stamp, 4)];
    const three = tally({ started: 0, requests: 3, errors: 0, sums: sumsOf([[GOOD, null]]) });
    const back = [...silent, lostCalls(stamp, -3), three];
    let held = new Map<string, number>();
    for (const tallies of [before, silent, back]) {
      const now = parse(scrape(tallies));
      for (const [name, value] of now) {
        if (!/_total|_bucket|_count|_sum/.test(name)) continue;
        expect.soft(value, name).toBeGreaterThanOrEqual(held.get(name) ?? 0);
      }
      held = now;
    }
    expect(countsIn(before)).toEqual([2, 4, 0]);
    expect(countsIn(silent)).toEqual([2, 0, 4]);
    expect(countsIn(back)).toEqual([5, 0, 1]);
  });

  it("leaves out versions that no epoch of those kept apart has served, unless they are being served", () => {
    const old = { revision: 0, arm: "baseline" } as const;
    const read = parse(
      scrape([
        tally({ ...old, version: 1 }),
        tally({ ...old, version: 3 }),
        tally({ ...old, version: 4 }),
        tally({ version: 4 }),
      ]),
    );
    const of = (version: number, arm: string) =>
      read.get(
        `switchback_requests_total{prompt="bot",environment="production",version="${version}",arm="${arm}"}`,
      );
    expect([of(1, "baseline"), of(3, "baseline"), of(4, "baseline"), of(4, "canary")]).toEqual([
      2,
      undefined,
      2,
      2,
    ]);
  });

  it("tells of 32 versions at most: those of the split and the newest", () => {
    const many = Array.from({ length: 100 }, (_, index) => tally({ version: index + 1, arm: "pinned" }));
    const text = scrape(many);
    const told = [...text.matchAll(/^switchback_requests_total\{.*version="(\d+)"/gm)].map(([, one]) =>
      Number(one),
    );
    const newest = Array.from({ length: 30 }, (_, index) => 71 + index);
    expect(told).toEqual([1, 2, ...newest]);
  });

  it("says the weights, the verdict and each guardrail's evidence", () => {
    const read = parse(scrape([]));
    const names = `prompt="bot",environment="production"`;
    expect(read.get(`switchback_release_weight_ratio{${names},version="2",arm="canary"}`)).toBe(0.1);
    expect(read.get(`switchback_release_revision{${names}}`)).toBe(7);
    expect(read.get(`switchback_verdict{${names},verdict="prompt"}`)).toBe(1);
    expect(read.get(`switchback_verdict{${names},verdict="upstream"}`)).toBe(0);
    expect(read.get(`switchback_frozen{${names}}`)).toBe(1);
    const guard = `${names},baseline="1",canary="2",metric="errors",action="rollback"`;
    expect(read.get(`switchback_guardrail_evidence_nats{${guard}}`)).toBe(9.5);
    expect(read.get(`switchback_guardrail_threshold_nats{${guard}}`)).toBe(6.25);
    expect(read.get(`switchback_guardrail_crossed{${guard}}`)).toBe(1);
  });

  it("parses whatever was counted, and loses no request", () => {
    fc.assert(
      fc.property(fc.array(metered, { maxLength: 8 }), (tallies) => {
        const read = parse(scrape(tallies));
        const sum = [...read]
          .filter(([name]) => name.startsWith("switchback_requests_total"))
          .reduce((all, [, value]) => all + value, 0);
        expect(sum).toBe(tallies.reduce((all, { requests }) => all + requests, 0));
      }),
    );
  });
});

describe("buckets", () => {
  const labels = { prompt: "bot" };

  it("grow with their bounds and end with all of the values, each within 10 % of its bound", () => {
    const values = fc.array(fc.double({ min: 0, max: 500_000, noNaN: true }), { maxLength: 40 });
    fc.assert(
      fc.property(values, (all) => {
        const histogram: { [bin: number]: number } = {};
        for (const value of all) histogram[binOf(value)] = (histogram[binOf(value)] ?? 0) + 1;
        const bounds = [0.01, 0.1, 1, 10, 100];
        const buckets = toBuckets(histogram, { labels, bounds, unit: 1 / 1_000, sum: 0 });
        const counts = buckets.filter(({ suffix }) => suffix === "_bucket").map(({ value }) => value);
        expect(counts).toEqual(counts.toSorted((one, other) => one - other));
        expect(counts.at(-1)).toBe(all.length);
        bounds.forEach((bound, index) => {
          const surely = all.filter((value) => value * 1.1 < bound * 1_000).length;
          const perhaps = all.filter((value) => value <= bound * 1_000 * 1.1).length;
          expect(counts[index]).toBeGreaterThanOrEqual(surely);
          expect(counts[index]).toBeLessThanOrEqual(perhaps);
        });
      }),
    );
  });
});

describe("the text", () => {
  it("stays one line a sample, whatever stands in a label", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', "\\", "\n", "a", "ü", "}") }), (text) => {
        const family: Family = {
          name: "a",
          type: "gauge",
          help: text,
          samples: [{ labels: { l: text }, value: 1 }],
        };
        const written = joinWritten(writeSamples([family]));
        const [key] = [...parse(written).keys()];
        const escaped = key!.slice('a{l="'.length, -'"}'.length);
        const back = escaped.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
        expect(back).toBe(text);
        expect(written.split("\n")).toHaveLength(4);
      }),
    );
  });

  it("leaves out a family that has no sample", () => {
    expect(writeSamples([{ name: "a", type: "counter", help: "b", samples: [] }])).toEqual([]);
  });

  it("has a family's samples in one place under one head, whichever releases they come from", () => {
    const [one, two] = ["one", "two"].map((prompt) => scrapeOf([tally({})], { ...RELEASE, prompt }));
    const text = joinWritten([...one!, ...two!]);
    expect(parse(text).size).toBe(2 * parse(joinWritten(one!)).size);
    const names = text
      .trimEnd()
      .split("\n")
      .filter((line) => line.startsWith("# TYPE"));
    expect(new Set(names).size).toBe(names.length);
    const lines = text.split("\n");
    const at = lines.findIndex((line) => line.startsWith("switchback_requests_total"));
    expect(lines[at + 1]).toMatch(/^switchback_requests_total\{prompt="two"/);
  });
});
