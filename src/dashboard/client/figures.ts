// The versions of a window side by side → rows of a table, without the DOM. Guarantees: what is unknown says so, and why,
// where it is known; nothing unknown is 0.

import type { Interval } from "../../core/intervals.ts";
import type { Comparison, ComparedMetric, Estimate, VersionStats } from "../../core/metrics-view.ts";
import { sayCount, sayRate, sayValue } from "../../core/watching/says.ts";
import type { Metrics } from "../../admin/schemas.ts";

/** `note`: how sure it is, or why it is unknown. */
export type Figure = { text: string; note: string };
/** Canary against baseline. */
export type Contrast = { text: string; note: string; tone: "worse" | "better" | "same" };
export type FigureRow = { name: string; figures: Figure[]; contrasts: (Contrast | null)[] };

/** One version, and what it is compared with, if it was. */
export type Column = { version: number; stats: VersionStats | null; comparison: Comparison | null };

const PER = 1_000;
const MOST_COLUMNS = 6;

type Named = readonly { version: number }[];

/** The release's arms, its baseline first, then what else had traffic in the window. */
export function columnsOf(metrics: Metrics, arms: Named): { columns: Column[]; left: number[] } {
  const inForce = arms.map(({ version }) => version);
  const others = metrics.versions
    .filter(({ version, requests }) => requests > 0 && !inForce.includes(version))
    .map(({ version }) => version)
    .toReversed();
  const all = [...inForce, ...others];
  const columns = all.slice(0, MOST_COLUMNS).map((version) => ({
    version,
    stats: metrics.versions.find((one) => one.version === version) ?? null,
    comparison: metrics.comparisons.find((one) => one.canary === version) ?? null,
  }));
  return { columns, left: all.slice(MOST_COLUMNS) };
}

type Line = {
  name: string;
  figure(stats: VersionStats): Figure;
  metric?: ComparedMetric;
  /** Of what is compared, where it is not what the line shows. */
  note?: string;
  /** Shown only where there is something. */
  isExtra?: true;
};

const LINES: readonly Line[] = [
  {
    name: "Requests",
    figure: ({ requests, open }) => figure(sayCount(requests), open > 0 ? `${sayCount(open)} under way` : ""),
  },
  {
    name: "Error rate",
    metric: "errors",
    figure: ({ errorRate, intervals }) => known(errorRate, intervals.errorRate, sayRate, "no request"),
  },
  { name: "Failures", figure: failuresOf, isExtra: true },
  {
    name: "Latency p50",
    metric: "latency",
    note: "typical answer",
    figure: ({ latencyMs, intervals }) =>
      known(latencyMs.all?.p50, intervals.latencyMs?.p50, sayMs, "no good answer"),
  },
  {
    name: "Latency p95",
    metric: "latency_tail",
    note: "slow answers",
    figure: ({ latencyMs, intervals }) =>
      known(latencyMs.all?.p95, intervals.latencyMs?.p95, sayMs, "no good answer"),
  },
  {
    name: "First token p50",
    metric: "first_token",
    note: "typical answer",
    figure: ({ firstTokenMs, intervals }) =>
      known(firstTokenMs.all?.p50, intervals.firstTokenMs?.p50, sayMs, "no good answer"),
  },
  { name: "Cost of 1,000 answers", metric: "cost", note: "full price", figure: costOf },
  {
    name: "Output tokens",
    metric: "tokens",
    note: "typical answer",
    figure: ({ tokens, intervals }) =>
      known(
        tokens.perAnswer,
        intervals.outputTokens,
        (value) => sayCount(Math.round(value)),
        "no usage in the answers",
      ),
  },
  {
    name: "Thumbs up",
    metric: "thumbs_down",
    note: "thumbs down",
    figure: ({ thumbs, intervals }) => {
      const of = `of ${sayCount(thumbs.up + thumbs.down)}`;
      return noting(known(thumbs.rate, intervals.thumbsUpRate, sayRate, "", "none given"), of);
    },
  },
  {
    name: "Score by users",
    metric: "score",
    figure: ({ scores, intervals }) =>
      noting(known(scores.mean, intervals.score, sayScore, "", "none given"), `of ${sayCount(scores.units)}`),
    isExtra: true,
  },
  {
    name: "Score by the judge",
    metric: "judge_score",
    figure: ({ judge, intervals }) =>
      noting(
        known(judge.mean, intervals.judgeScore, sayScore, "", "not judged"),
        `of ${sayCount(judge.units)}`,
      ),
  },
];

export function figureRows(columns: readonly Column[]): FigureRow[] {
  const rows = LINES.map(({ isExtra = false, ...line }) => {
    const figures = columns.map(({ stats }) => (stats === null ? NO_TRAFFIC : line.figure(stats)));
    const contrasts = columns.map(({ comparison }) => comparison && contrastOf(line, comparison));
    return { isShown: !isExtra || figures.some(isSomething), row: { name: line.name, figures, contrasts } };
  });
  return rows.flatMap(({ isShown, row }) => (isShown ? [row] : []));
}

const NONE = "–";
const NO_TRAFFIC: Figure = { text: NONE, note: "" };

function isSomething({ text }: Figure): boolean {
  return text !== NONE && text !== "none given";
}

function figure(text: string, note = ""): Figure {
  return { text, note };
}

function known(
  value: number | null | undefined,
  interval: Interval | null | undefined,
  say: (value: number) => string,
  why: string,
  without = NONE,
): Figure {
  if (value === null || value === undefined) return figure(without, why);
  return figure(say(value), interval ? sayInterval(interval, say) : "");
}

function noting({ text, note }: Figure, more: string): Figure {
  return note === "" ? { text, note } : { text, note: `${note}, ${more}` };
}

/** "4.1 to 15.2 %": a unit that both bounds have is said once. */
export function sayInterval(
  { low, high }: Pick<Estimate, "low" | "high">,
  say: (value: number) => string,
): string {
  if (low === null) return high === null ? "" : `at most ${say(high)}`;
  if (high === null) return `at least ${say(low)}`;
  const [first, second] = [say(low), say(high)];
  const unit = / \S+$/.exec(second)?.[0] ?? "";
  return `${unit !== "" && first.endsWith(unit) ? first.slice(0, -unit.length) : first} to ${second}`;
}

/** Paid is paid; how sure it is, is known of the price without the cache's discount. */
function costOf({ requests, errors, tokens, cost, intervals, models }: VersionStats): Figure {
  const { perAnswerUsd, fullPerAnswerUsd, answers } = cost;
  if (perAnswerUsd === null || fullPerAnswerUsd === null) {
    if (requests === errors) return figure(NONE, "no good answer");
    const named = models[0]?.model;
    const why =
      tokens.answers === 0 ? "no usage in the answers" : `no price of ${named ?? "this model"} is known`;
    return figure("unknown", why);
  }
  const interval = intervals.fullCostUsd;
  const sure =
    interval === null
      ? ""
      : sayInterval({ low: Math.max(0, interval.low), high: interval.high }, sayUsdOfThousand);
  // Either way: what is written to the cache may cost more than what it saves.
  const isOther = Math.abs(perAnswerUsd / fullPerAnswerUsd - 1) > 0.005;
  const full = isOther ? `without the cache ${sayUsdOfThousand(fullPerAnswerUsd)}` : "";
  const some = answers < tokens.answers ? `known of ${sayCount(answers)} answers` : "";
  return figure(sayUsdOfThousand(perAnswerUsd), [full, sure, some].filter(Boolean).join(", "));
}

function failuresOf({ errorClasses }: VersionStats): Figure {
  const classes = Object.entries(errorClasses).toSorted(([, one], [, other]) => other - one);
  const [first, ...rest] = classes.map(([name, count]) => `${name.replaceAll("_", " ")} ${sayCount(count)}`);
  return first === undefined ? figure(NONE) : figure(first, rest.join(", "));
}

const LOWER_IS_WORSE: readonly ComparedMetric[] = ["score", "judge_score"];

function contrastOf({ metric, note = "" }: Line, comparison: Comparison): Contrast | null {
  const found = comparison.metrics.find((one) => one.metric === metric);
  if (found === undefined || metric === undefined) return null;
  const isRatio = found.kind === "typical";
  const estimate = isRatio ? found.ratio : found.difference;
  if (estimate === null || estimate.value === null) return null;
  const say = isRatio ? sayShare : found.kind === "rate" ? sayPoints : saySigned;
  const nothing = isRatio ? 1 : 0;
  const isMore = estimate.low !== null && estimate.low > nothing;
  const isLess = estimate.high !== null && estimate.high < nothing;
  const isWorse = LOWER_IS_WORSE.includes(metric) ? isLess : isMore;
  const sure = sayInterval(estimate, say);
  return {
    text: say(estimate.value),
    note: note === "" ? sure : `${sure}, ${note}`,
    tone: isWorse ? "worse" : isMore || isLess ? "better" : "same",
  };
}

export function sayMs(ms: number): string {
  return sayValue("latency", ms);
}

function sayScore(score: number): string {
  return score.toFixed(2);
}

export function sayMoney(usd: number): string {
  return sayValue("cost", usd);
}

function sayUsdOfThousand(usd: number): string {
  return sayMoney(PER * usd);
}

/** 1.12 → "+12 %" */
function sayShare(ratio: number): string {
  return `${signed(100 * (ratio - 1), 0)} %`;
}

/** Percentage points. */
function sayPoints(difference: number): string {
  return `${signed(100 * difference, 1)} pp`;
}

function saySigned(difference: number): string {
  return signed(difference, 2);
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}
