// What the watch says of a release, and both arms side by side: the verdict's sentence first, then each metric with how sure
// it is, then the guardrails that are nearest to firing. No data is a dash, never a zero.

import type { ComparisonView, HealthView } from "../../core/health.ts";
import type { Comparison, MetricComparison, MetricsView } from "../../core/metrics-view.ts";
import { sayMs, sayRate } from "../../core/diagnosis.ts";
import { glyph, paint, plain, type Look, type Style } from "./look.ts";
import { formatTable, type Row } from "./table.ts";
import { formatAge } from "./time.ts";
import { wrap } from "./wrap.ts";

const NEAREST = 3;

type Metric = MetricComparison["metric"];
const SHOWN: [metric: Metric, name: string][] = [
  ["errors", "errors"],
  ["first_token", "first token"],
  ["latency", "latency"],
  ["tokens", "output tokens"],
  ["cost", "cost per answer"],
  ["thumbs_down", "thumbs down"],
  ["judge_score", "judge's score"],
];

const STYLES: { [verdict in HealthView["verdict"]]: Style } = {
  waiting: "dim",
  watching: "green",
  prompt: "red",
  upstream: "yellow",
  "prompt+upstream": "red",
  "model changed": "yellow",
};

type Metrics = Pick<MetricsView, "comparisons" | "versions">;

/** Nothing where there is no canary and nothing to tell. */
export function formatHealth(
  look: Look,
  health: HealthView,
  metrics: Metrics | null,
  nowMs: number,
): string[] {
  const { verdict, says, comparisons, isFrozen } = health;
  const notices = formatNotices(look, health, nowMs);
  if (comparisons.length === 0 && notices.length === 0) return [];
  const frozen = isFrozen && verdict !== "waiting" ? " (ramps are frozen)" : "";
  const [first = "", ...rest] = wrap(look, `${verdict}: ${plain(says)}${frozen}`, 2, 2);
  return [
    "",
    paint(look, STYLES[verdict], first),
    ...rest,
    ...notices,
    ...comparisons.flatMap((one) => [
      ...formatArms(look, one, metrics),
      ...formatGuards(look, one, comparisons.length > 1),
    ]),
  ];
}

function formatNotices(look: Look, { upstream, modelChanges }: HealthView, nowMs: number): string[] {
  const notices = [
    ...upstream.map(({ metric, usualRate, rate, since }) => {
      const what = metric === "errors" ? "errors" : "slow answers";
      const now = rate === null ? "unknown" : sayRate(rate);
      return `upstream: the baseline's own ${what} ${now}, usually ${sayRate(usualRate)}, ${formatAge(since, nowMs)}`;
    }),
    ...modelChanges.map(({ from, to, since }) => {
      return `model changed: ${plain(from)} ${glyph(look, "arrow")} ${plain(to)}, ${formatAge(since, nowMs)}`;
    }),
  ];
  return notices.flatMap((notice) => wrap(look, notice, 2, 2).map((line) => paint(look, "yellow", line)));
}

function formatArms(look: Look, { baseline, canary }: ComparisonView, metrics: Metrics | null): string[] {
  const pair = metrics?.comparisons.find((one) => one.baseline === baseline && one.canary === canary);
  if (metrics === null || pair === undefined) return [];
  const rows = [...formatMetrics(look, pair), ...formatCached(look, metrics, pair)];
  const header: Row = [
    "ON THE SAME TRAFFIC",
    { text: `v${baseline}`, align: "right" },
    { text: `v${canary}`, align: "right" },
    "CHANGE (95 %)",
  ];
  return ["", ...formatTable(look, rows, { header, flexible: 3, indent: 2 })];
}

function formatMetrics(look: Look, pair: Comparison): Row[] {
  return SHOWN.flatMap(([name, title]): Row[] => {
    const metric = pair.metrics.find((one) => one.metric === name);
    if (metric === undefined) return [];
    const { baseline, canary } = metric;
    if (baseline.value === null && canary.value === null) return [];
    return [
      [
        title,
        { text: sayValue(look, metric, baseline.value), align: "right" },
        { text: sayValue(look, metric, canary.value), align: "right" },
        sayChange(look, metric),
      ],
    ];
  });
}

function sayValue(look: Look, { metric, kind }: MetricComparison, value: number | null): string {
  if (value === null) return glyph(look, "dot");
  if (kind === "rate") return sayRate(value);
  if (metric === "first_token" || metric === "latency") return sayMs(value);
  return metric === "cost" ? `$${value.toPrecision(3)}` : String(Number(value.toPrecision(3)));
}

/** "x1.20, 1.05 to 1.38", "+0.5 %, -0.2 % to +1.2 %". */
function sayChange(look: Look, { kind, ratio, difference }: MetricComparison): string {
  const estimate = kind === "typical" ? ratio : difference;
  if (estimate === null || estimate.value === null) return glyph(look, "dot");
  const say = (value: number) =>
    kind === "typical"
      ? value.toFixed(2)
      : kind === "rate"
        ? withSign(value, sayRate)
        : withSign(value, sayScore);
  const { value, low, high } = estimate;
  const head = `${kind === "typical" ? "x" : ""}${say(value)}`;
  return low === null && high === null
    ? head
    : `${head}, ${low === null ? "?" : say(low)} to ${high === null ? "?" : say(high)}`;
}

function withSign(value: number, say: (value: number) => string): string {
  if (value === 0) return say(0);
  return `${value < 0 ? "-" : "+"}${say(Math.abs(value))}`;
}

function sayScore(score: number): string {
  return score.toFixed(3);
}

/** Of the input, out of the provider's cache: since ever, so no interval. */
function formatCached(look: Look, { versions }: Metrics, { baseline, canary }: Comparison): Row[] {
  const shares = [baseline, canary].map((wanted) => {
    const tokens = versions.find(({ version }) => version === wanted)?.tokens;
    const isKnown = tokens !== undefined && tokens.cached !== null && (tokens.input ?? 0) > 0;
    return isKnown ? tokens.cached! / tokens.input! : null;
  });
  if (shares.every((share) => share === null)) return [];
  const cells = shares.map((share) => {
    return { text: share === null ? glyph(look, "dot") : sayRate(share), align: "right" as const };
  });
  return [["input from cache", ...cells, ""]];
}

function formatGuards(look: Look, { canary, guards, gate }: ComparisonView, isNamed: boolean): string[] {
  const nearness = ({ evidence, threshold }: (typeof guards)[number]) => evidence / threshold;
  const nearest = guards
    .filter(({ evidence, isCrossed }) => isCrossed || evidence > 0)
    .toSorted((one, other) => nearness(other) - nearness(one))
    .slice(0, NEAREST);
  const proof = `proof that it is safe: errors ${gate.errors.toFixed(1)}, times ${gate.time.toFixed(1)} of ${gate.threshold.toFixed(1)}`;
  const rows = nearest.map((guard): Row => {
    const style: Style = guard.isCrossed ? "red" : nearness(guard) >= 0.5 ? "yellow" : "green";
    return [
      plain(guard.says),
      { text: `${guard.evidence.toFixed(1)} of ${guard.threshold.toFixed(1)}`, align: "right", style },
      guard.isCrossed ? "crossed" : guard.action,
    ];
  });
  const title = isNamed ? `GUARDRAILS OF v${canary}` : "NEAREST GUARDRAILS";
  return [
    ...(rows.length === 0
      ? []
      : [
          "",
          ...formatTable(look, rows, {
            header: [title, { text: "EVIDENCE", align: "right" }, ""],
            flexible: 0,
            indent: 2,
          }),
        ]),
    ...wrap(look, proof, 2, 2).map((line) => paint(look, "dim", line)),
  ];
}
