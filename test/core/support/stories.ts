// An hour of simulated traffic as a diagnosis gets it, through the same sums, series and comparisons as Control's.

import { compareArms } from "../../../src/core/comparison.ts";
import type { Diagnosis, Evidence } from "../../../src/core/diagnosis.ts";
import type { ErrorClass } from "../../../src/core/metering/outcome.ts";
import { createSums } from "../../../src/core/metering/sums.ts";
import { addTo, keyOf } from "../../../src/core/metering/tally.ts";
import type { SeenValue } from "../../../src/core/seen.ts";
import { addToPoints, viewPoints, type Point } from "../../../src/core/series-points.ts";
import { summarizeTallies } from "../../../src/core/summary.ts";
import type { Release, Revision, Tally } from "../../../src/core/types.ts";
import { createRandom } from "../../../bench/guardrails/random.ts";
import { drawTallies, USUAL, type TrafficArm } from "../../../bench/guardrails/traffic.ts";

export const MINUTE_MS = 60_000;
export const START_MS = Date.parse("2026-03-01T12:00:00Z");
const MINUTES = 60;
/** The minute that it happens in. */
export const THEN = 30;

export type Minute = {
  baseline?: Partial<TrafficArm>;
  canary?: Partial<TrafficArm>;
  share?: number;
  version?: number;
  errorClass?: ErrorClass;
  /** Requests that name their version, all of them failing so. */
  pinned?: { errors: number; errorClass: ErrorClass };
};

type Story = {
  minutes: (minute: number) => Minute;
  seen?: SeenValue[];
  /** Newest first; none: what is served at the end, since ever. */
  revisions?: Revision[];
  seed?: number;
  length?: number;
};

export function tell({ minutes, seen = [], revisions, seed = 1, length = MINUTES }: Story): Evidence {
  const random = createRandom(seed);
  const all = new Map<string, Tally>();
  const points = new Map<string, Point>();
  for (let minute = 0; minute < length; minute++) {
    const { baseline, canary, share = 0, version = 1, errorClass, pinned } = minutes(minute);
    const arms = { baseline: { ...USUAL, ...baseline }, canary: { ...USUAL, ...canary } };
    const versions = { baseline: version, canary: 2 };
    const drawn = drawTallies(100, { revision: share === 0 ? 1 : 2, versions, share, arms }, random);
    for (const tally of [...drawn, ...drawPinned(pinned, version)]) {
      if (tally.arm !== "pinned" && errorClass !== undefined)
        tally.sums!.errorClasses = { [errorClass]: tally.errors };
      addTo(all, keyOf(tally), structuredClone(tally));
      addToPoints(points, START_MS / 1_000 + minute * 60, tally);
    }
  }
  const untilMs = START_MS + length * MINUTE_MS;
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
    revisions: revisions ?? [revisionOf(minutes(length - 1))],
    events: [],
    seen,
    health: null,
  };
}

export function seenValue(
  more: Partial<SeenValue> & Pick<SeenValue, "kind" | "value">,
  atMinute: number,
): SeenValue {
  const firstMs = START_MS + atMinute * MINUTE_MS;
  const lastMs = START_MS + MINUTES * MINUTE_MS;
  return { version: more.kind === "response" ? 1 : 0, firstMs, lastMs, requests: 1_000, ...more };
}

function drawPinned(pinned: Minute["pinned"], version: number): Tally[] {
  if (pinned === undefined) return [];
  const { errors, errorClass } = pinned;
  const counts = { started: errors, requests: errors, errors, aborted: 0 };
  const sums = { ...createSums(), errorClasses: { [errorClass]: errors } };
  return [{ revision: 1, version, arm: "pinned", reason: "pinned", ...counts, sums }];
}

function revisionOf({ version = 1, share = 0 }: Minute): Revision {
  return { ...revisionAt(-600, version, version), after: releaseOf(version, share) };
}

/** Version 2 is the canary. */
export function releaseOf(baseline: number, share = 0): Release {
  const canary = share === 0 ? [] : [{ version: 2, weight: 100 * share }];
  return {
    baseline,
    arms: [{ version: baseline, weight: 100 - 100 * share }, ...canary],
  } as unknown as Release;
}

/** Takes the canary off. */
export function rollbackAt(minute: number, share: number, actor = "guardrail"): Revision {
  const reason = "answers that failed 50 %, by 20 nats";
  const between = { before: releaseOf(1, share), after: releaseOf(1) };
  return { ...revisionAt(minute, 1, 1), actor, action: "rollback", reason, ...between };
}

export function revisionAt(minute: number, from: number, to: number): Revision {
  const at = new Date(START_MS + minute * MINUTE_MS).toISOString();
  const head = { prompt: "support-bot", environment: "production", revision: 9, actor: "ada" };
  return { ...head, at, action: "promote", reason: "", before: releaseOf(from), after: releaseOf(to) };
}

export const causes = ({ suspects }: Diagnosis) => suspects.map(({ cause }) => cause);
export const onsetMinute = ({ onset }: Diagnosis) => (Date.parse(onset!.at) - START_MS) / MINUTE_MS;
export const after = (minute: number, then: Minute, before: Minute = {}): Minute =>
  minute >= THEN ? then : before;
