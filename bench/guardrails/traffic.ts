// Simulated traffic as isolates report it: outcomes of single calls, added up by the code of the data plane to tallies, one
// report a second. The watch of Control gets exactly these, so that the whole path from an answer to a verdict is simulated.

import type { Outcome } from "../../src/core/metering/outcome.ts";
import { addToSums, createSums, isFailure } from "../../src/core/metering/sums.ts";
import type { Reason, Tally } from "../../src/core/types.ts";
import type { Random } from "./random.ts";
import { HEALTHY, type Arm } from "./world.ts";

export type TrafficArm = Arm & {
  model: string;
  /** Of the output, factor. */
  tokens: number;
};

export const USUAL: TrafficArm = { ...HEALTHY, model: "gpt-5.4-mini-2026-03-17 fp_1", tokens: 1 };

export type Traffic = {
  revision: number;
  versions: { baseline: number; canary: number };
  share: number;
  arms: { baseline: TrafficArm; canary: TrafficArm };
  reason?: Reason;
  /** Units that come back, so many at a time; none: every request is a unit of its own. */
  units?: number;
};

const LATER_TURNS = 0.5;
const FIRST_TOKEN_MS = 300;
const LATENCY_MS = 1_200;
const NANO_USD = 3_000_000;
const OUTPUT_TOKENS = 200;

/** What `requests` calls come to, as one report. */
export function drawTallies(requests: number, traffic: Traffic, random: Random): Tally[] {
  const tallies = new Map<string, Tally>();
  for (let index = 0; index < requests; index += 1) {
    const unit = traffic.units === undefined ? null : Math.floor(random.uniform() * traffic.units);
    // A unit keeps its arm: by its number, as if that were its hash.
    const at = unit === null ? random.uniform() : (unit * 0.618_033_988_749_895) % 1;
    const arm = at < traffic.share ? "canary" : "baseline";
    const turn = random.uniform() < LATER_TURNS ? "later" : "first";
    const key = `${arm} ${turn}`;
    const tally = tallies.get(key) ?? createTally(traffic, arm, turn);
    tallies.set(key, tally);
    addTo(tally, drawOutcome(traffic.arms[arm], random), unit === null ? null : unit % 64);
  }
  return [...tallies.values()];
}

function createTally(traffic: Traffic, arm: "baseline" | "canary", turn: "first" | "later"): Tally {
  const { revision, versions, reason = "split" } = traffic;
  const counts = { started: 0, requests: 0, errors: 0, aborted: 0 };
  return { revision, version: versions[arm], arm, reason, turn, ...counts, sums: createSums() };
}

function addTo(tally: Tally, outcome: Outcome, bucket: number | null): void {
  tally.started = (tally.started ?? 0) + 1;
  tally.requests += 1;
  if (isFailure(outcome)) tally.errors += 1;
  addToSums(tally.sums!, outcome, bucket);
}

function drawOutcome(arm: TrafficArm, random: Random): Outcome {
  const spread = (sigma: number) => Math.exp(sigma * random.normal());
  if (random.uniform() < arm.errors) {
    const none = { status: 500, isHung: false, firstTokenMs: null, totalMs: null, answer: null, cost: null };
    return { kind: "error", errorClass: "server_error", ...none };
  }
  const isHit = random.uniform() < (arm.cache?.hits ?? 0);
  const faster = isHit ? 1 / 3 : 1;
  const fullNanoUsd = Math.round(NANO_USD * arm.cost * spread(0.6));
  const [model = "", fingerprint = null] = arm.model.split(" ");
  return {
    kind: "ok",
    status: 200,
    errorClass: null,
    isHung: false,
    firstTokenMs: FIRST_TOKEN_MS * arm.firstToken * faster * spread(0.6),
    totalMs: LATENCY_MS * arm.latency * faster * spread(0.8),
    answer: {
      usage: {
        inputTokens: 2_000,
        outputTokens: Math.round(OUTPUT_TOKENS * arm.tokens * spread(0.6)),
        cachedInputTokens: isHit ? 1_800 : 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
      },
      finish: random.uniform() < arm.refusals ? "refusal" : "stop",
      model,
      fingerprint,
      isSchemaFailure: null,
    },
    cost: { nanoUsd: isHit ? fullNanoUsd / 10 : fullNanoUsd, fullNanoUsd },
  };
}
