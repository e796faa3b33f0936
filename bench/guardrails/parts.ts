// Beside the targets: what else the guardrails rest on. A mean guardrail alone keeps its promise for any shape of values;
// a ramp's gate opens for what is fine, and stays shut at the bounds that it rules out; a wrong split is found.

import { runPath } from "./path.ts";
import { COSTS, runCosts } from "./shapes.ts";
import { runGate, runInterval, runMeanGuard, runMeanInterval, runSplit, SHAPES } from "./single.ts";
import { percent, runsOf, type Measured, type Target } from "./targets.ts";
import { alike, quantile, runTrials } from "./trial.ts";
import { HEALTHY } from "./world.ts";

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

/** A small canary whose cache is cold: 30 % of its input comes out of it, of the baseline's 90 %. */
export function coldCache(share: number, isApart: boolean) {
  const arm = (hits: number) => alike({ ...HEALTHY, cache: { hits, isApart } });
  return { requests: 100_000, share: () => share, baseline: arm(0.9), canary: arm(0.3) };
}

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
  {
    id: "P5",
    says: "a canary whose cache is cold (hits of 30 % against 90 %, three times as fast, a tenth of the cost)",
    run: (scale) =>
      [0.05, 0.1].flatMap((share) =>
        [true, false].map((isApart) => {
          const trials = runTrials(coldCache(share, isApart), runsOf(isApart ? 300 : 100, scale), 19);
          const blamed = trials.filter(({ detectedAfter }) => detectedAfter !== null).length;
          return {
            name: `rolled back at ${share * 100} %, ${isApart ? "compared apart" : "all in one"}`,
            value: (100 * blamed) / trials.length,
            most: isApart ? 1 : NO_TARGET,
            unit: "% of runs",
          };
        }),
      ),
  },
  {
    id: "P6",
    says: "the interval of the risk ratio (95 %): it ever leaves out the truth within 100,000 requests",
    run: (scale) =>
      [0.01, 0.1, 0.5].flatMap((share) =>
        [
          { errors: 0.01, ratio: 1 },
          { errors: 0.002, ratio: 1 },
          { errors: 0.01, ratio: 3 },
          { errors: 0.05, ratio: 0.5 },
        ].map(({ errors, ratio }) =>
          percent(
            `errors ${errors * 100} %, ×${ratio}, share ${share * 100} %`,
            runsOf(400, scale),
            (seed) => runInterval({ share, errors, ratio }, 800_000 + seed),
            5,
          ),
        ),
      ),
  },
  {
    id: "P7",
    says: "the interval of a mean (95 %): it ever leaves out the truth within 100,000 requests",
    run: (scale) =>
      Object.keys(SHAPES).flatMap((name) =>
        [0.01, 0.1, 0.5].map((at) =>
          percent(
            `${name}, at ${at * 100} %`,
            runsOf(200, scale),
            (seed) => runMeanInterval(name, at, 900_000 + seed),
            5,
          ),
        ),
      ),
  },
  {
    id: "P8",
    says: "the whole path, from single answers to the rollback, share 10 %",
    run: (scale) =>
      [undefined, 2_000].flatMap((units) => {
        const name = units === undefined ? "by request" : "sticky units";
        const more = units === undefined ? {} : { units };
        const alikeArms = { share: 0.1, canary: {}, requests: 100_000, ...more };
        const failing = { share: 0.1, canary: { errors: 0.05 }, requests: 50_000, ...more };
        const found = Array.from({ length: runsOf(100, scale) }, (_, seed) =>
          runPath(failing, 40_000 + seed),
        );
        return [
          percent(
            `${name}, alike: rolled back`,
            runsOf(100, scale),
            (seed) => runPath(alikeArms, 30_000 + seed) !== null,
            1,
          ),
          {
            name: `${name}, errors 1 → 5 %, median`,
            value: quantile(found, 0.5),
            most: NO_TARGET,
            unit: "canary requests",
          },
          {
            name: `${name}, errors 1 → 5 %, 95 %`,
            value: quantile(found, 0.95),
            most: NO_TARGET,
            unit: "canary requests",
          },
        ];
      }),
  },
  {
    id: "P9",
    says: "costs that are nearly all alike, a few far dearer: false alarms within 30,000 requests; and +30 %",
    run: (scale) =>
      Object.keys(COSTS).flatMap((name) => [
        ...[0.01, 0.05, 0.5].map((at) =>
          percent(
            `${name}, at ${at * 100} %`,
            runsOf(300, scale),
            (seed) => runCosts(name, at, 0, 50_000 + seed) !== null,
            1,
          ),
        ),
        {
          name: `${name}, +30 % at 5 %, median`,
          value: quantile(
            Array.from({ length: runsOf(100, scale) }, (_, seed) =>
              runCosts(name, 0.05, Math.log(1.3), 60_000 + seed),
            ),
            0.5,
          ),
          most: NO_TARGET,
          unit: "canary requests",
        },
      ]),
  },
];
