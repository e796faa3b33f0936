// 100,000 requests through five isolates, with Control killed ten times, answers lost and syncs repeated: what the metrics
// say beside what the provider saw, to the request. Run: node bench/exact.ts [requests]

import { buildWorker } from "../scripts/build.ts";
import { countExactly, OUTPUT_TOKENS } from "../test/end-to-end/exact-rig.ts";

const requests = Number(process.argv[2] ?? 100_000);
const { directory } = await buildWorker();
const exact = await countExactly({
  requests,
  edges: 5,
  atOnce: 48,
  kills: 10,
  loseEvery: 3,
  repeatEvery: 4,
  failEvery: 20,
  settleMs: 60_000,
  bundle: directory,
});

const { versions, open, lost, syncs, kills, revisions, failures, tookMs } = exact;
console.log("version   provider saw   counted (of these as fallback)   provider failed   errors counted");
for (const [version, { seen, failed, requests: own, errors, fallbacks }] of Object.entries(versions)) {
  const counted = `${own + fallbacks} (${fallbacks})`;
  console.log(
    [version.padEnd(9), String(seen).padEnd(14), counted.padEnd(32), String(failed).padEnd(17), errors].join(
      " ",
    ),
  );
}
console.log(
  `under way ${open}, lost ${lost}; clients without an answer of the provider's: ${failures.length}`,
);
console.log(
  `${syncs.sent} syncs, ${syncs.lost} answers lost, ${syncs.repeated} repeated; Control killed ${kills} times; ` +
    `${revisions} revisions; ${Math.round(tookMs / 1_000)} s`,
);
const isExact = Object.values(versions).every(
  ({ seen, failed, requests: own, errors, fallbacks, outputTokens, timed }) =>
    own + fallbacks === seen &&
    errors === failed &&
    timed === seen - failed &&
    outputTokens === OUTPUT_TOKENS * (seen - failed),
);
console.log(isExact ? "exact" : "NOT EXACT");
process.exitCode = isExact && failures.length === 0 ? 0 : 1;
