// From tallies, as isolates report them, to verdicts: what is compared and what is not, whose fault it is called, and by
// which numbers.

import { describe, expect, it } from "vitest";
import { mergeHistograms } from "../../../src/core/guardrails/histogram.ts";
import { createSums } from "../../../src/core/metering/sums.ts";
import { LATE_MS, nextClosingMs, passTime } from "../../../src/core/watching/add.ts";
import { conclude, QUIET_MS } from "../../../src/core/watching/conclude.ts";
import { viewGate, viewHealth } from "../../../src/core/watching/view.ts";
import type { Tally } from "../../../src/core/types.ts";
import { drawTallies, USUAL } from "../../../bench/guardrails/traffic.ts";
import { createRelease, Watched } from "./support.ts";

const rolling = () => new Watched(createRelease(2, { 2: 10 }));

function unitsOf(watched: Watched, metric: "errors" | "thumbs_down" = "errors") {
  const guard = watched.watch.pairs[0]?.state.guards[metric];
  return { baseline: guard?.baselineUnits ?? 0, canary: guard?.canaryUnits ?? 0 };
}

/** The same, and `share` times as many calls of the canary with a bad key. */
const addRefused = (tallies: Tally[], share: number) =>
  tallies.map((tally) => {
    const credentials = tally.arm === "canary" ? Math.round(share * tally.requests) : 0;
    const [requests, errors] = [tally.requests + credentials, tally.errors + credentials];
    const errorClasses = { ...tally.sums?.errorClasses, credentials };
    return { ...tally, requests, errors, sums: { ...tally.sums!, errorClasses } };
  });
const failingTraffic = (errors: number) => ({
  revision: 2,
  versions: { baseline: 1, canary: 2 },
  share: 0.1,
  arms: { baseline: USUAL, canary: { ...USUAL, errors } },
});

/** Until the rollback of a canary that fails in three of ten calls; null: there is none. */
const secondsOf = (watched: Watched, share: number) => {
  for (let second = 0; second < 300; second += 1) {
    const found = watched.report(addRefused(drawTallies(50, failingTraffic(0.3), watched.random), share));
    if (found.pairs[0]!.isRollback) return second;
  }
  return null;
};

describe("a verdict from tallies", () => {
  it("is to watch where the arms are alike, and lets a ramp go on once that is proven", () => {
    const watched = rolling();
    expect(watched.run(0)).toMatchObject({ verdict: "waiting", isFrozen: true });
    const found = watched.run(600);
    expect(found).toMatchObject({ verdict: "watching", isFrozen: false });
    expect(found.pairs[0]).toMatchObject({ isRollback: false, isMismatch: false });
    expect(viewGate(watched.watch, 2, watched.context)).toMatchObject({ isOpen: true, isFrozen: false });
    expect(watched.news.map(({ says }) => says.split(":")[0])).toEqual(["watching"]);
  });

  it("neither blames a version for callers with a bad key nor lets it hide among them", () => {
    const innocent = rolling();
    for (let second = 0; second < 60; second += 1) {
      const found = innocent.report(addRefused(drawTallies(50, failingTraffic(0.01), innocent.random), 3));
      expect(found.pairs[0]).toMatchObject({
        isRollback: false,
        verdict: expect.not.stringMatching("prompt"),
      });
    }
    const guilty = [rolling(), rolling()] as const;
    const alone = secondsOf(guilty[0], 0);
    expect(alone).not.toBeNull();
    expect(secondsOf(guilty[1], 10)).toBe(alone);
  });

  it.each([
    [
      "errors",
      { errors: 0.2 },
      /^errors 1\.\d % on v1, \d+\.\d % on v2 \(×\d+(\.\d)?, .* to .*\) after \d+ canary requests; evidence \d+\.\d of 6\.7, mostly server_error/,
    ],
    ["refusals", { refusals: 0.2 }, /^refusals 0\.\d % on v1, /],
    [
      "first_token",
      { firstToken: 3, latency: 1 },
      /^time to first token \d+ ms on v1, \d+(,\d+)? ms on v2 \(\+\d+ %, /,
    ],
    ["latency", { latency: 3 }, /time to the whole answer 1,\d+ ms on v1, /],
    ["cost", { cost: 2 }, /^cost of an answer \$0\.00\d+ on v1, \$0\.00\d+ on v2 \(\+\d+ %, /],
  ])(
    "blames the prompt for %s of the canary alone, in a sentence with the numbers",
    (metric, change, says) => {
      const watched = rolling();
      watched.run(60);
      const found = watched.run(400, { canary: change });
      expect(found).toMatchObject({ verdict: "prompt", isFrozen: true });
      expect(found.pairs[0]!.isRollback).toBe(true);
      expect(found.says).toMatch(says);
      const crossed = found.pairs[0]!.guards.filter(({ isCrossed }) => isCrossed);
      expect(crossed.map((one) => one.metric)).toContain(metric);
      for (const { evidence, threshold } of crossed) expect(evidence).toBeGreaterThanOrEqual(threshold);
      expect(watched.news.at(-1)).toMatchObject({ kind: "verdict", data: { to: "prompt", canary: 2 } });
    },
  );

  it("blames no prompt for what both arms do, says since when and what, and freezes the ramp", () => {
    const watched = rolling();
    watched.run(120);
    const startedAtMs = watched.nowMs;
    const found = watched.run(60, { baseline: { errors: 0.15 }, canary: { errors: 0.15 } });
    expect(found).toMatchObject({ verdict: "upstream", isFrozen: true });
    expect(found.pairs[0]!.isRollback).toBe(false);
    expect(found.says).toMatch(
      /^not the prompt: errors \d\.\d % → 1\d\.\d % on the baseline since 12:0\d UTC, mostly server_error/,
    );
    const health = viewHealth(watched.watch, { prompt: "p", environment: "e" }, watched.context);
    const [change] = health.upstream;
    expect(Math.abs(Date.parse(change!.since) - startedAtMs)).toBeLessThan(20_000);
  });

  it("notices an incident without any canary, and that it is over", () => {
    const watched = new Watched(createRelease(1, {}));
    expect(watched.run(30)).toMatchObject({ verdict: "watching", isFrozen: false });
    expect(watched.run(20, { baseline: { errors: 0.2 } })).toMatchObject({
      verdict: "upstream",
      isFrozen: true,
    });
    expect(watched.run(200)).toMatchObject({ verdict: "watching", isFrozen: false });
    expect(watched.news.map(({ data }) => data["to"])).toEqual(["upstream", "watching"]);
  });

  it("names both where the canary is worse still", () => {
    const watched = rolling();
    watched.run(120);
    const found = watched.run(200, { baseline: { errors: 0.15 }, canary: { errors: 0.6 } });
    expect(found.verdict).toBe("prompt+upstream");
    expect(found.pairs[0]!.isRollback).toBe(true);
  });

  it("tells of a guardrail that may only notify, once, and rolls nothing back", () => {
    const watched = rolling();
    watched.settings = { errors: { action: "notify" } };
    const found = watched.run(300, { canary: { errors: 0.3 } });
    expect(found).toMatchObject({ verdict: "prompt", isFrozen: true });
    expect(found.pairs[0]!.isRollback).toBe(false);
    const notices = watched.news.filter(({ kind }) => kind === "notice");
    expect(notices.map(({ says }) => says.split(" ")[0])).toEqual(["errors"]);
  });

  it("says what has changed of late where a long good past would hide it", () => {
    const watched = rolling();
    watched.run(400);
    const found = watched.run(400, { canary: { errors: 0.15 } });
    expect(found.says).toMatch(/in the latest 1\d\d [01]\.\d % and [4-9]\.\d %/);
    const slower = rolling();
    slower.run(600);
    const later = slower.run(400, { canary: { firstToken: 1.5 } });
    expect(later.says).toMatch(/\(\+\d %, .*, in the latest \d+ (2[89]|30)\d ms and [34]\d\d ms; evidence/);
  });
});

const late = (more: Partial<Tally>): Tally => ({
  revision: 2,
  version: 2,
  arm: "canary",
  reason: "split",
  turn: "first",
  requests: 30,
  errors: 30,
  aborted: 0,
  sums: createSums(),
  ...more,
});

const thumbs = (arm: "baseline" | "canary", up: number, down: number) =>
  late({
    arm,
    version: arm === "canary" ? 2 : 1,
    requests: 0,
    errors: 0,
    sums: { ...createSums(), thumbs: { up, down } },
  });

describe("a tolerance", () => {
  it("is a promise: what is worse by less is no regression, what is worse by more is one", () => {
    const watched = rolling();
    watched.settings = {
      latency: { tolerance: 0.5 },
      errors: { tolerance: 4 },
      latency_tail: { action: "off" },
    };
    const worse = { latency: 1.4, errors: 0.03 };
    expect(watched.run(600, { canary: worse })).toMatchObject({ verdict: "watching" });
    expect(watched.run(600, { canary: { ...worse, latency: 3 } }).says).toMatch(/^time to the whole answer/);
  });

  it("that is changed begins a guardrail anew, and a guardrail that is off finds nothing", () => {
    const watched = rolling();
    watched.settings = { errors: { action: "notify" } };
    expect(watched.run(300, { canary: { errors: 0.3 } }).verdict).toBe("prompt");
    watched.settings = { errors: { action: "notify", tolerance: 1.5 } };
    expect(conclude(watched.watch, watched.context).verdict).toBe("watching");
    watched.settings = { errors: { action: "off" } };
    const found = conclude(watched.watch, watched.context);
    expect(found.verdict).toBe("watching");
    expect(found.pairs[0]!.guards.map(({ metric }) => metric)).not.toContain("errors");
  });
});

describe("what is compared", () => {
  it.each(["pinned", "drain", "fallback", "no_lease", "static"] as const)(
    "is not what was served for reason %s",
    (reason) => {
      const watched = rolling();
      watched.run(30, {}, { reason });
      watched.report([late({ reason })]);
      expect(unitsOf(watched)).toEqual({ baseline: 0, canary: 0 });
    },
  );

  it("is not what belongs to another version, a pin, or an epoch before this pair", () => {
    const watched = rolling();
    watched.report([late({ version: 3 }), late({ arm: "pinned" }), late({ revision: 1 })]);
    expect(unitsOf(watched)).toEqual({ baseline: 0, canary: 0 });
    watched.report([late({})]);
    expect(unitsOf(watched)).toEqual({ baseline: 0, canary: 30 });
  });

  it("keeps first and later turns, and epochs, in strata of their own", () => {
    const watched = rolling();
    watched.report([late({ requests: 10, errors: 0 }), late({ requests: 10, errors: 0, turn: "later" })]);
    expect(watched.watch.pairs[0]!.open.map(({ turn }) => turn)).toEqual(["first", "later"]);
    watched.follow(createRelease(3, { 2: 25 }));
    watched.report([late({ requests: 10, errors: 0, revision: 3 })]);
    expect(watched.watch.pairs[0]!.open).toHaveLength(3);
    watched.report([late({ requests: 10, errors: 0 })]);
    expect(watched.watch.pairs[0]!.open.map(({ epoch }) => epoch)).toEqual([2, 3]);
    expect(unitsOf(watched).canary).toBe(20);
  });

  it("waits some minutes for calls of an epoch that is over, then is compared as it is, without any traffic", () => {
    const watched = rolling();
    watched.report([late({ requests: 3, errors: 0 })]);
    expect(nextClosingMs(watched.watch)).toBeNull();
    const next = createRelease(3, { 2: 25 });
    watched.follow(next);
    const closingMs = nextClosingMs(watched.watch)!;
    expect(closingMs).toBe(Date.parse(next.changedAt) + LATE_MS);
    watched.watch = passTime(watched.watch, { ...watched.context, nowMs: closingMs - 1 });
    expect(unitsOf(watched).canary).toBe(0);
    watched.watch = passTime(watched.watch, { ...watched.context, nowMs: closingMs });
    expect(unitsOf(watched).canary).toBe(3);
    expect(nextClosingMs(watched.watch)).toBeNull();
  });

  it("is feedback that comes without a request, into the epoch of the request it is for", () => {
    const watched = rolling();
    watched.follow(createRelease(3, { 2: 25 }));
    for (let times = 0; times < 40; times += 1) {
      const revision = times % 2 === 0 ? 2 : 3;
      watched.report([
        { ...thumbs("baseline", 9, 1), revision },
        { ...thumbs("canary", 2, 8), revision },
      ]);
    }
    expect(unitsOf(watched, "thumbs_down")).toEqual({ baseline: 400, canary: 400 });
    expect(conclude(watched.watch, watched.context).verdict).toBe("prompt");
    expect(watched.watch.pairs[0]!.comparedAtMs).toBeNull();
  });

  it("is no cold cache: a canary whose answers miss it is not called slow", () => {
    expect(coldCache((tallies) => tallies)).toMatchObject({ verdict: "watching" });
    // As it would be if hits and misses were compared in one.
    expect(coldCache((tallies) => tallies.map(forgetHits))).toMatchObject({ verdict: "prompt" });
  });
});

function coldCache(change: (tallies: Tally[]) => Tally[]) {
  const watched = rolling();
  const arms = { baseline: cached(0.9), canary: cached(0.3) };
  const traffic = { revision: 2, versions: { baseline: 1, canary: 2 }, share: 0.1, arms };
  let conclusion = watched.run(0);
  for (let second = 0; second < 500; second += 1) {
    conclusion = watched.report(change(drawTallies(50, traffic, watched.random)));
  }
  return conclusion;
}

function cached(hits: number) {
  return { ...USUAL, cache: { hits, isApart: true } };
}

function forgetHits(tally: Tally): Tally {
  const { firstToken, firstTokenCached, latency, latencyCached, ...rest } = tally.sums!.histograms;
  const histograms = {
    ...rest,
    firstToken: mergeHistograms(firstToken ?? {}, firstTokenCached ?? {}),
    latency: mergeHistograms(latency ?? {}, latencyCached ?? {}),
  };
  return { ...tally, sums: { ...tally.sums!, histograms } };
}

describe("time without traffic", () => {
  it("turns watching into waiting, for no data is not good data", () => {
    const watched = rolling();
    expect(watched.run(20).verdict).toBe("watching");
    const nowMs = watched.nowMs + QUIET_MS;
    const found = conclude(watched.watch, { ...watched.context, nowMs });
    expect(found).toMatchObject({ verdict: "waiting", isFrozen: true });
    expect(conclude(watched.watch, { ...watched.context, nowMs: nowMs - 2_000 }).verdict).toBe("watching");
    expect(viewGate(watched.watch, 2, { ...watched.context, nowMs })).toBeNull();
  });

  it("never turns no canary traffic into anything else", () => {
    const watched = rolling();
    const found = watched.run(200, {}, { share: 0 });
    expect(found).toMatchObject({ verdict: "waiting", isFrozen: true });
    expect(found.pairs[0]!.isRollback).toBe(false);
    expect(found.pairs[0]!.gate.isOpen).toBe(false);
  });
});

describe("the split", () => {
  it("that is not as meant is told of once, and freezes the ramp", () => {
    const watched = rolling();
    const found = watched.run(400, {}, { share: 0.05 });
    expect(found).toMatchObject({ verdict: "watching", isFrozen: true });
    expect(found.pairs[0]!.isMismatch).toBe(true);
    expect(viewGate(watched.watch, 2, watched.context)).toMatchObject({ isFrozen: true });
    const [told, ...others] = watched.news.filter(({ kind }) => kind === "split");
    expect(told!.says).toMatch(/^v2 gets 5\.\d % of the requests instead of 10\.0 %$/);
    expect(others).toEqual([]);
  });

  it("counts calls when they begin: a canary whose answers are still under way is no mismatch", () => {
    const watched = rolling();
    for (let second = 0; second < 200; second += 1) {
      watched.report([
        late({ version: 1, arm: "baseline", started: 45, requests: 45, errors: 0 }),
        late({ started: 5, requests: 0, errors: 0 }),
      ]);
    }
    expect(conclude(watched.watch, watched.context).pairs[0]!.isMismatch).toBe(false);
  });
});

describe("sticky units", () => {
  it("say less than their requests, and the more alike they are", () => {
    const watched = new Watched(createRelease(2, { 2: 30 }, { unit: "conversation" }));
    watched.run(60, {}, { units: 5_000 });
    expect(watched.watch.pairs[0]!.designEffects.errors).toBeGreaterThanOrEqual(1.5);
    const few = new Watched(createRelease(2, { 2: 30 }, { unit: "conversation" }));
    few.run(60, {}, { units: 6 });
    expect(few.watch.pairs[0]!.designEffects.errors).toBeGreaterThan(100);
    expect(few.run(0).pairs[0]!.guards[0]!.designEffect).toBeGreaterThan(100);
  });

  it("let no single user who always fails roll back a release", () => {
    const watched = new Watched(createRelease(2, { 2: 30 }, { unit: "user" }));
    const buckets = { 7: [5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] };
    const sums = { ...createSums(), buckets };
    for (let second = 0; second < 100; second += 1) {
      watched.run(1, {}, { share: 0, units: 300 });
      watched.report([late({ requests: 5, errors: 5, started: 5, sums })]);
    }
    expect(conclude(watched.watch, watched.context).pairs[0]!.isRollback).toBe(false);
  });
});
