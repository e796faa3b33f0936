// The acceptance tests of the guardrails, T1 to T18: which traffic, how many runs, and what must hold. Figures of the
// targets are from a study of the method in simulation; each row says what it guards.

import { GUARDS } from "../../src/core/guardrails/guards.ts";
import { createDesigner, drawSticky, effectsOf } from "./sticky.ts";
import { runCountGuard } from "./single.ts";
import { alike, quantile, runTrials, type Scenario, type Trial } from "./trial.ts";
import { HEALTHY, type Arm } from "./world.ts";

export type Measured = { name: string; value: number; most: number; unit: string };
export type Target = { id: string; says: string; run(scale: number): Measured[] };

const SHARES = [0.05, 0.1];
const healthyBut = (change: Partial<Arm>): Arm => ({ ...HEALTHY, ...change });

function base(share: number, requests = 100_000): Omit<Scenario, "canary"> {
  return { requests, share: () => share, baseline: alike() };
}

/** Canary requests until the rollback: median and 95 %, per share. */
function detection(
  name: string,
  change: Partial<Arm>,
  most: [median: number, high: number],
  options: { shares?: number[]; runs?: number; requests?: number; seed?: number } = {},
): (scale: number) => Measured[] {
  return (scale) =>
    (options.shares ?? SHARES).flatMap((share) => {
      const scenario = { ...base(share, options.requests), canary: alike(healthyBut(change)) };
      const trials = runTrials(scenario, runsOf(options.runs ?? 300, scale), options.seed ?? 11);
      return times(`${name} at ${share * 100} %`, trials, most);
    });
}

function times(name: string, trials: Trial[], [median, high]: [number, number]): Measured[] {
  const found = trials.map(({ detectedAfter }) => detectedAfter);
  return [
    { name: `${name}, median`, value: quantile(found, 0.5), most: median, unit: "canary requests" },
    { name: `${name}, 95 %`, value: quantile(found, 0.95), most: high, unit: "canary requests" },
  ];
}

export function runsOf(runs: number, scale: number): number {
  return Math.max(20, Math.round(runs * scale));
}

function rate(name: string, trials: Trial[], hit: (trial: Trial) => boolean, most: number): Measured {
  return { name, value: (100 * trials.filter(hit).length) / trials.length, most, unit: "% of runs" };
}

/** The guardrail that blamed most often, against the target, which is one for each; and all of them together. */
function blames(name: string, trials: Trial[]): Measured[] {
  const rates = GUARDS.map(({ metric }) =>
    rate(`${name}: blamed by ${metric}`, trials, (trial) => rolledBack(trial) && trial.metric === metric, 1),
  );
  const worst = rates.toSorted((one, other) => other.value - one.value)[0]!;
  return [worst, rate(`${name}: blamed by any`, trials, rolledBack, Number.NaN)];
}

/** Of `runs` seeds, those that hit. */
export function percent(name: string, runs: number, hit: (seed: number) => boolean, most: number): Measured {
  const hits = Array.from({ length: runs }, (_, seed) => hit(seed)).filter(Boolean).length;
  return { name, value: (100 * hits) / runs, most, unit: "% of runs" };
}

const rolledBack = ({ detectedAfter }: Trial) => detectedAfter !== null;
/** Errors and times of both arms by the time of day, the split ramped meanwhile. */
const drifting = (at: number): Arm => {
  const swing = 1 + 0.8 * Math.sin((2 * Math.PI * at) / 100_000);
  return healthyBut({ errors: 0.01 * swing, latency: 0.7 + 0.3 * swing });
};
const ramping = (at: number) => [0.01, 0.05, 0.25, 0.5][Math.min(3, Math.floor(at / 25_000))]!;
const incident = (at: number): Arm =>
  at < 10_000 || at >= 40_000 ? HEALTHY : healthyBut({ errors: 0.1, latency: 2 });

const stepping = (at: number): Arm => (at < 25_000 ? HEALTHY : healthyBut({ errors: 0.03, latency: 1.3 }));
const failing = (errors: number) => (at: number) => (at < 10_000 ? HEALTHY : healthyBut({ errors }));

/** Users who come back and are slow or failing together; `extraErrors` of the canary's, for every user alike. */
export const sticky = (extraErrors: number) => (): Scenario => {
  const designer = createDesigner();
  return {
    ...base(0.1, 100_000),
    canary: alike(),
    draw: drawSticky(0.1, designer, extraErrors),
    designEffects: () => effectsOf(designer),
  };
};

export const TARGETS: readonly Target[] = [
  {
    id: "T1",
    says: "eight guardrails on arms that are alike: false rollbacks in 100,000 requests",
    run: (scale) =>
      [0.01, 0.05, 0.1, 0.5].map((share) =>
        rate(
          `at ${share * 100} %`,
          runTrials({ ...base(share), canary: alike() }, runsOf(500, scale), 1),
          rolledBack,
          1,
        ),
      ),
  },
  {
    id: "T2",
    says: "one count guardrail alone, at 1 %, for any error rate",
    run: (scale) =>
      [0.001, 0.01, 0.05, 0.2].map((errors) =>
        percent(
          `errors ${errors * 100} %`,
          runsOf(2_000, scale),
          (seed) => runCountGuard(errors, 200_000 + seed),
          1.3,
        ),
      ),
  },
  {
    id: "T3",
    says: "errors 1 → 5 %",
    run: (scale) => [
      ...detection("errors", { errors: 0.05 }, [250, 550])(scale),
      ...detection("errors", { errors: 0.05 }, [600, 1_100], { shares: [0.5] })(scale),
    ],
  },
  {
    id: "T4",
    says: "errors 1 → 20 % and 100 %",
    run: (scale) => [
      ...detection("20 %", { errors: 0.2 }, [35, 70])(scale),
      ...detection("20 %", { errors: 0.2 }, [100, 160], { shares: [0.5] })(scale),
      ...detection("100 %", { errors: 1 }, [6, 11])(scale),
      ...detection("100 %", { errors: 1 }, [26, 32], { shares: [0.5] })(scale),
    ],
  },
  {
    id: "T5",
    says: "errors 1 → 2 %",
    run: detection("errors", { errors: 0.02 }, [2_400, 5_200], { runs: 200 }),
  },
  {
    id: "T6",
    says: "latency +100, +30, +10 %",
    run: (scale) => [
      ...detection("+100 %", { latency: 2 }, [36, 60])(scale),
      ...detection("+30 %", { latency: 1.3 }, [180, 340])(scale),
      ...detection("+10 %", { latency: 1.1 }, [1_350, 2_800], { runs: 200 })(scale),
    ],
  },
  {
    id: "T7",
    says: "first token +30 %, cost +20 %",
    run: (scale) => [
      ...detection("first token", { firstToken: 1.3 }, [105, 205])(scale),
      ...detection("cost", { cost: 1.2 }, [215, 420])(scale),
    ],
  },
  {
    id: "T8",
    says: "thumbs up 80 → 70 %, by canary feedbacks",
    run: (scale) =>
      SHARES.flatMap((share) => {
        const scenario = { ...base(share, 400_000), canary: alike(healthyBut({ thumbsDown: 0.3 })) };
        const found = runTrials(scenario, runsOf(100, scale), 8).map((trial) =>
          rolledBack(trial) ? trial.feedbacks : null,
        );
        return [
          { name: `at ${share * 100} %, median`, value: quantile(found, 0.5), most: 350, unit: "feedbacks" },
          { name: `at ${share * 100} %, 95 %`, value: quantile(found, 0.95), most: 700, unit: "feedbacks" },
        ];
      }),
  },
  {
    id: "T9",
    says: "judge .80 → .75, by judged canary answers",
    run: (scale) =>
      SHARES.flatMap((share) => {
        const scenario = { ...base(share, 300_000), canary: alike(healthyBut({ judge: 0.75 })) };
        const found = runTrials(scenario, runsOf(100, scale), 9).map((trial) =>
          rolledBack(trial) ? trial.judged : null,
        );
        return [
          {
            name: `at ${share * 100} %, median`,
            value: quantile(found, 0.5),
            most: 300,
            unit: "judged answers",
          },
          {
            name: `at ${share * 100} %, 95 %`,
            value: quantile(found, 0.95),
            most: 600,
            unit: "judged answers",
          },
        ];
      }),
  },
  {
    id: "T10",
    says: "an incident of both arms: no blame, and a notice",
    run: (scale) =>
      [0.01, 0.1, 0.5].flatMap((share) => {
        const scenario = { ...base(share, 45_000), baseline: incident, canary: incident, brokenFrom: 10_000 };
        const trials = runTrials(scenario, runsOf(300, scale), 10);
        // A run that was rolled back ended there, and counts as blamed.
        const noticed = trials.filter((trial) => !rolledBack(trial)).map(({ noticedAfter }) => noticedAfter);
        return [
          rate(`blamed at ${share * 100} %`, trials, rolledBack, 1),
          {
            name: `noticed, all runs not blamed`,
            value: quantile(noticed, 0.999),
            most: 300,
            unit: "baseline requests",
          },
        ];
      }),
  },
  {
    id: "T11",
    says: "drift during a ramp; a step of both arms at a ramp step",
    run: (scale) => {
      const drift = { requests: 100_000, share: ramping, baseline: drifting, canary: drifting };
      const stepped = {
        requests: 60_000,
        share: (at: number) => (at < 25_000 ? 0.01 : 0.5),
        baseline: stepping,
        canary: stepping,
      };
      return [
        ...blames("drift", runTrials(drift, runsOf(1_000, scale), 110)),
        ...blames("step", runTrials(stepped, runsOf(1_000, scale), 111)),
      ];
    },
  },
  {
    id: "T12",
    says: "canary twice as bad in an incident of 10 %: rolled back, and both are named",
    run: (scale) => {
      const arms = { baseline: failing(0.1), canary: failing(0.2) };
      const scenario = { ...base(0.1, 100_000), ...arms, brokenFrom: 10_000 };
      const trials = runTrials(scenario, runsOf(300, scale), 12);
      return [
        ...times("rollback", trials, [240, 480]),
        rate(
          "another cause named",
          trials.filter(rolledBack),
          ({ verdict }) => verdict !== "prompt+upstream",
          5,
        ),
      ];
    },
  },
  {
    id: "T13",
    says: "canary alone is bad: no notice about the baseline",
    run: (scale) => {
      const scenario = { ...base(0.5, 100_000), canary: alike(healthyBut({ errors: 0.05 })) };
      const trials = runTrials(scenario, runsOf(500, scale), 13);
      return [rate("noticed", trials, (trial) => trial.noticedAfter !== null, 1)];
    },
  },
  {
    id: "T14",
    says: "late onset, after 20,000 good canary requests",
    run: (scale) => {
      const late = (change: Partial<Arm>, most: [number, number], name: string) => {
        const canary = (at: number) => (at < 200_000 ? HEALTHY : healthyBut(change));
        const trials = runTrials(
          { ...base(0.1, 300_000), canary, brokenFrom: 200_000 },
          runsOf(100, scale),
          14,
        );
        return times(name, trials, most);
      };
      return [
        ...late({ errors: 0.05 }, [600, 1_050], "errors 5 %"),
        ...late({ errors: 0.2 }, [105, 180], "errors 20 %"),
        ...late({ latency: 1.3 }, [430, 750], "latency +30 %"),
      ];
    },
  },
  {
    id: "T15",
    says: "sticky heavy users, arms alike, design effect on",
    run: (scale) => {
      const found = runTrials(sticky(0.19), runsOf(200, scale), 151);
      return [
        rate("false rollbacks", runTrials(sticky(0), runsOf(300, scale), 15), rolledBack, 1.5),
        ...times("errors 1 → 20 %", found, [Number.NaN, Number.NaN]),
      ];
    },
  },
  {
    id: "T16",
    says: "latency truly +2 %, 200,000 requests",
    run: (scale) => {
      const scenario = { ...base(0.1, 200_000), canary: alike(healthyBut({ latency: 1.02 })) };
      return [rate("rolled back", runTrials(scenario, runsOf(100, scale), 16), rolledBack, 10)];
    },
  },
];
