// How many syncs a second one prompt's object answers on this machine, in the real runtime with storage on disk: with
// nothing to report, and with a report each. The platform's own limit is about 1,000 requests a second per object, so
// what matters is to stay well above it. Run: node bench/control.ts

import { isProblem } from "../src/core/problem.ts";
import { startRuntime, type Runtime } from "../test/control/support/runtime.ts";

const PROMPT = "bench";
const ROUNDS = 5;
const CALLS = 4_000;

const CASES = [
  { name: "nothing to report, one after the other", atOnce: 1, reporting: false },
  { name: "nothing to report, 32 at once", atOnce: 32, reporting: false },
  { name: "a report of two tallies each, one after the other", atOnce: 1, reporting: true },
  { name: "a report of two tallies each, 32 at once", atOnce: 32, reporting: true },
];

const runtime = await startRuntime();
try {
  await createPrompt(runtime);
  const rates = new Map(CASES.map(({ name }) => [name, [] as number[]]));
  // Rounds take turns, so that a busy moment of the machine does not hit one case alone. The first one warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { name, atOnce, reporting } of CASES) {
      const tookMs = await runtime.applyLoad({ prompt: PROMPT, calls: CALLS, atOnce, reporting });
      if (round > 0) rates.get(name)!.push((CALLS / tookMs) * 1_000);
    }
  }
  for (const [name, measured] of rates) console.log(`${describe(measured)}  ${name}`);
} finally {
  await runtime.stop();
}

/** Median and range, in syncs a second. */
function describe(measured: number[]): string {
  const sorted = measured.toSorted((one, other) => one - other);
  const [median, least, most] = [sorted[sorted.length >> 1]!, sorted[0]!, sorted.at(-1)!].map((rate) =>
    Math.round(rate),
  );
  return `${String(median).padStart(6)}/s (${least} to ${most})`;
}

async function createPrompt({ control }: Runtime): Promise<void> {
  const actor = { name: "bench", role: "admin" } as const;
  const commands = [
    { type: "put", settings: {} },
    { type: "push", content: { system: "You help users of {{product}}." } },
  ] as const;
  for (const command of commands) {
    const answer = await control(PROMPT).execute({
      prompt: PROMPT,
      command,
      actor,
      ifMatch: null,
      idempotency: null,
    });
    if (isProblem(answer)) throw new Error(answer.message);
  }
}
