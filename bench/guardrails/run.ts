// `npm run simulate:guardrails`: the targets T1 to T18 and the parts P1 to P4, with fixed seeds, through the code that Control runs. `SCALE=0.1`
// makes a tenth of the runs; `ONLY=T3` one target; `FRESH=1` other seeds.

import { addToUpstream, createUpstream, judge } from "../../src/core/guardrails/verdict.ts";
import { addStratum, createWatch, findCrossings } from "../../src/core/guardrails/watch.ts";
import { GUARDS } from "../../src/core/guardrails/guards.ts";
import { addSeen } from "../../src/core/watching/add.ts";
import { conclude } from "../../src/core/watching/conclude.ts";
import { followRelease } from "../../src/core/watching/follow.ts";
import { createRandom } from "./random.ts";
import { drawTallies, USUAL } from "./traffic.ts";
import { PARTS } from "./parts.ts";
import { createRelease } from "./path.ts";
import { TARGETS, type Measured } from "./targets.ts";
import { drawStratum, HEALTHY } from "./world.ts";

const scale = Number(process.env["SCALE"] ?? 1);
const only = process.env["ONLY"]?.split(",");

function print(id: string, says: string, measured: Measured[]): void {
  console.log(`\n${id}  ${says}`);
  for (const { name, value, most, unit } of measured) {
    const shown = Number.isInteger(value) ? String(value) : value.toFixed(2);
    const verdict = Number.isNaN(most) ? "    " : value <= most ? "ok  " : "MISS";
    const target = Number.isNaN(most) ? "" : `≤ ${most}`;
    console.log(`  ${verdict}  ${name.padEnd(40)} ${shown.padStart(8)} ${target.padEnd(8)} ${unit}`);
  }
}

/** One evaluation of all guardrails, with a stratum of 50 requests. */
function timeEvaluation(): Measured[] {
  const random = createRandom(17);
  const arms = { baseline: HEALTHY, canary: HEALTHY };
  const strata = Array.from({ length: 500 }, () => drawStratum(50, 0.1, arms, random));
  let watch = createWatch();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round += 1) {
    const startedAt = performance.now();
    for (const stratum of strata) {
      watch = addStratum(watch, stratum);
      findCrossings(watch);
    }
    best = Math.min(best, ((performance.now() - startedAt) * 1_000) / strata.length);
  }
  return [{ name: "evaluation of all guardrails", value: best, most: 50, unit: "µs" }];
}

/** A report into the watch of Control, and the verdict with all that there is to read: what a sync pays. */
function timeReport(unit: "request" | "conversation"): Measured {
  const random = createRandom(19);
  const release = createRelease(unit, 0.1);
  const traffic = {
    revision: 1,
    versions: { baseline: 1, canary: 2 },
    share: 0.1,
    arms: { baseline: USUAL, canary: USUAL },
    ...(unit === "conversation" && { units: 2_000 }),
  };
  const reports = Array.from({ length: 300 }, () => drawTallies(50, traffic, random));
  const context = { specs: GUARDS, unit, forcedModel: null, nowMs: 1_000 };
  let watch = followRelease(null, release);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round += 1) {
    const startedAt = performance.now();
    for (const tallies of reports) {
      watch = addSeen(watch, { tallies }, context);
      conclude(watch, context);
    }
    best = Math.min(best, ((performance.now() - startedAt) * 1_000) / reports.length);
  }
  const name = `a report of 50 to its verdict, unit ${unit}`;
  return { name, value: best, most: Number.NaN, unit: "µs" };
}

for (const { id, says, run } of [...TARGETS, ...PARTS]) {
  if (only === undefined || only.includes(id)) print(id, says, run(scale));
}
if (only === undefined || only.includes("T17")) {
  print("T17", "cost of an evaluation", [
    ...timeEvaluation(),
    timeReport("request"),
    timeReport("conversation"),
  ]);
}
if (only === undefined || only.includes("T18")) {
  const random = createRandom(18);
  let watch = createWatch();
  let upstream = createUpstream();
  let others = 0;
  for (let at = 0; at < 2_000; at += 1) {
    const stratum = drawStratum(50, 0, { baseline: HEALTHY, canary: HEALTHY }, random);
    upstream = addToUpstream(upstream, stratum, watch.usual, at * 1_000);
    watch = addStratum(watch, stratum);
    const { kind, isFrozen } = judge(watch, upstream);
    if (kind !== "waiting" || !isFrozen) others += 1;
  }
  print("T18", "no canary traffic: every verdict is to wait", [
    { name: "other verdicts of 2,000", value: others, most: 0, unit: "" },
  ]);
}
