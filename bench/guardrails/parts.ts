// Beside the targets: what else the guardrails rest on. A mean guardrail alone keeps its promise for any shape of values;
// a ramp's gate opens for what is fine, and stays shut at the bounds that it rules out; a wrong split is found.

import { runGate, runMeanGuard, runSplit, SHAPES } from "./single.ts";
import { percent, runsOf, type Measured, type Target } from "./targets.ts";
import { quantile } from "./trial.ts";

const NO_TARGET = Number.NaN;
type World = Parameters<typeof runGate>[0];

function passes(name: string, world: World, most: [number, number], runs: number): Measured[] {
  const found = Array.from({ length: runs }, (_, seed) => runGate(world, "both", 500_000 + seed));
  return [
    { name: `${name}, median`, value: quantile(found, 0.5), most: most[0], unit: "canary requests" },
    { name: `${name}, 95 %`, value: quantile(found, 0.95), most: most[1], unit: "canary requests" },
  ];
}

const fine = (at: number, errors = 0.01): World => ({ share: at, errors, canaryErrors: errors, slower: 0 });

export const PARTS: readonly Target[] = [
  {
    id: "P1",
    says: "one mean guardrail alone, at 1 %, for any shape, without a least effect",
    run: (scale) =>
      Object.keys(SHAPES).flatMap((name) =>
        [0.01, 0.1, 0.5].map((at) =>
          percent(
            `${name}, at ${at * 100} %`,
            runsOf(500, scale),
            (seed) => runMeanGuard(name, at, 400_000 + seed),
            1.3,
          ),
        ),
      ),
  },
  {
    id: "P2",
    says: "the ramp's gate opens for a canary that is fine",
    run: (scale) => [
      ...passes("errors 1 %, share 5 %", fine(0.05), [NO_TARGET, NO_TARGET], runsOf(200, scale)),
      ...passes("errors 1 %, share 50 %", fine(0.5), [NO_TARGET, NO_TARGET], runsOf(200, scale)),
      ...passes("no errors at all, share 5 %", fine(0.05, 0), [NO_TARGET, NO_TARGET], runsOf(100, scale)),
    ],
  },
  {
    id: "P3",
    says: "the ramp's gate for a canary at the bound: wrong passes within 100,000 requests",
    run: (scale) => {
      const wrong = (name: string, world: World, needs: "errors" | "time") =>
        percent(name, runsOf(500, scale), (seed) => runGate(world, needs, 600_000 + seed) !== null, 5);
      return [
        wrong("errors 1 % → 1.98 %", { ...fine(0.1), canaryErrors: 0.0198 }, "errors"),
        wrong("errors 0.2 % → 0.5 %", { ...fine(0.1), errors: 0.002, canaryErrors: 0.005 }, "errors"),
        wrong("latency +20 %", { ...fine(0.1), slower: Math.log(1.2) }, "time"),
      ];
    },
  },
  {
    id: "P4",
    says: "the check of the split",
    run: (scale) => {
      const found = Array.from({ length: runsOf(200, scale) }, (_, seed) =>
        runSplit(0.05, 0.04, 100_000, 700_000 + seed),
      );
      return [
        percent(
          "as meant: alarms",
          runsOf(2_000, scale),
          (seed) => runSplit(0.05, 0.05, 100_000, seed) !== null,
          0.2,
        ),
        {
          name: "5 % meant, 4 % real: median",
          value: quantile(found, 0.5),
          most: NO_TARGET,
          unit: "requests",
        },
      ];
    },
  },
];
