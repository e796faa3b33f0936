// What Prometheus gets to see of releases: counters since ever and by arm, and what the watch says now. Pure. Guarantees:
// counters come from the same exact tallies as `GET …/metrics`; what the baseline answered in a canary's stead stands
// under the arm `fallback`; what nobody knows has no sample.

import type { HealthView, VerdictKind } from "../core/health.ts";
import { mergeTallies, openOf } from "../core/metering/tally.ts";
import { SCORE_SCALE, type Sums } from "../core/metering/sums.ts";
import type { ReleaseView, Tally } from "../core/types.ts";
import { describeTimes, type Row } from "./prometheus-histograms.ts";
import type { Family, Labels, Sample } from "./prometheus-text.ts";

/** One prompt in one environment, as its Control said it. */
export type ScrapedRelease = { release: ReleaseView; health: HealthView; tallies: Tally[] };

/** Versions of a release that are told, a histogram of 20 lines each and arm: those of its split and the newest ones. */
const MOST_VERSIONS = 32;

const VERDICTS: VerdictKind[] = [
  "waiting",
  "watching",
  "prompt",
  "upstream",
  "prompt+upstream",
  "model changed",
];

const NANO = 1e9;

type Read = (tally: Tally) => number;
type ReadSums = (sums: Sums) => number | undefined;

export function describeReleases(releases: ScrapedRelease[]): Family[] {
  const rows = releases.flatMap(toRows).map(withoutLost);
  return [
    ...countRequests(rows),
    ...countAnswers(rows),
    ...describeTimes(rows),
    ...describeFeedback(rows),
    ...describeSplits(releases),
    ...describeWatch(releases),
  ];
}

/** `skipped`: prompts that are behind the bounds of a scrape, or not whole. `failed`: releases whose Control did not answer. */
export function describeBounds({ skipped, failed }: { skipped: number; failed: number }): Family[] {
  return [
    gauge("switchback_scrape_skipped_prompts", "Prompts behind the bounds of one scrape.", [
      { labels: {}, value: skipped },
    ]),
    gauge("switchback_scrape_failed_releases", "Releases that did not answer this scrape.", [
      { labels: {}, value: failed },
    ]),
  ];
}

/** A row for each version and arm; epochs, reasons and turns are added up. */
function toRows({ release, tallies }: ScrapedRelease): Row[] {
  const byArm = new Map<string, Row>();
  const told = versionsOf(release, tallies);
  for (const tally of tallies.filter(({ version }) => told.has(version))) {
    const arm = tally.reason === "fallback" ? "fallback" : tally.arm;
    const key = `${tally.version} ${arm}`;
    const held = byArm.get(key);
    if (held !== undefined) held.tally = mergeTallies(held.tally, tally);
    else byArm.set(key, { labels: { ...namesOf(release), version: String(tally.version), arm }, tally });
  }
  return [...byArm.values()];
}

/** Calls that were given up for lost may come back after all, and are taken off again: that would make a counter shrink, which
 * `rate()` takes for a restart. They are a gauge, and no counter holds them. */
function withoutLost({ labels, tally }: Row): Row {
  const { lost = 0, requests, errors, sums } = tally;
  if (lost === 0 || sums === undefined) return { labels, tally };
  const { counts, errorClasses } = sums;
  const answered = {
    ...sums,
    counts: { ...counts, timeouts: (counts.timeouts ?? 0) - lost },
    errorClasses: { ...errorClasses, timeout: (errorClasses.timeout ?? 0) - lost },
  };
  return { labels, tally: { ...tally, requests: requests - lost, errors: errors - lost, sums: answered } };
}

/** Totals of versions stay for ever. What none of the epochs that are kept apart has served (those before them are one, of
 * revision 0) moves no counter any more, and is left out like a target that is gone. */
function versionsOf(release: ReleaseView, tallies: Tally[]): Set<number> {
  const served = tallies.filter(({ revision }) => revision > 0).map(({ version }) => version);
  const newest = served.toSorted((one, other) => other - one);
  return new Set(
    [...new Set([...release.arms.map(({ version }) => version), ...newest])].slice(0, MOST_VERSIONS),
  );
}

function namesOf({ prompt, environment }: ReleaseView): Labels {
  return { prompt, environment };
}

function lostIn({ lost = 0 }: Tally): number {
  return lost;
}

function countRequests(rows: Row[]): Family[] {
  const of = (name: string, help: string, read: Read) =>
    counter(
      name,
      help,
      rows.map(({ labels, tally }) => ({ labels, value: read(tally) })),
    );
  const open = rows.map(({ labels, tally }) => ({ labels, value: openOf(tally) - lostIn(tally) }));
  const lost = rows.map(({ labels, tally }) => ({ labels, value: lostIn(tally) }));
  return [
    of("switchback_requests_total", "Requests that are over.", (tally) => tally.requests),
    of("switchback_errors_total", "Requests that failed.", (tally) => tally.errors),
    of("switchback_aborted_total", "Requests that the client left.", (tally) => tally.aborted),
    gauge("switchback_requests_open", "Requests under way.", open),
    gauge("switchback_requests_lost", "Requests whose isolate fell silent; in no counter.", lost),
  ];
}

function countAnswers(rows: Row[]): Family[] {
  const each = (label: string, names: { [value: string]: ReadSums }): Sample[] =>
    rows.flatMap(({ labels, tally: { sums } }) =>
      Object.entries(names).flatMap(([name, read]) => {
        const value = sums === undefined ? undefined : read(sums);
        return value === undefined ? [] : [{ labels: { ...labels, [label]: name }, value }];
      }),
    );
  const of = (read: ReadSums): Sample[] =>
    rows.flatMap(({ labels, tally: { sums } }) =>
      sums === undefined ? [] : [{ labels, value: read(sums) ?? 0 }],
    );
  return [
    counter("switchback_error_classes_total", "Requests that failed, by class.", classesOf(rows)),
    counter(
      "switchback_findings_total",
      "What was found in answers.",
      each("finding", {
        timeout: ({ counts }) => counts.timeouts ?? 0,
        refusal: ({ counts }) => counts.refusals ?? 0,
        truncation: ({ counts }) => counts.truncations ?? 0,
        schema_failure: ({ counts }) => counts.schemaFailures ?? 0,
        tool_call: ({ counts }) => counts.toolCalls ?? 0,
      }),
    ),
    counter(
      "switchback_tokens_total",
      "Tokens; cached and cache_write are part of input, reasoning is of output.",
      each("type", {
        input: ({ usage }) => usage.input,
        output: ({ usage }) => usage.output,
        cached: ({ usage }) => usage.cached,
        cache_write: ({ usage }) => usage.cacheWrite,
        reasoning: ({ usage }) => usage.reasoning,
      }),
    ),
    counter(
      "switchback_usage_known_total",
      "Answers whose usage is known.",
      of(({ usage }) => usage.answers),
    ),
    counter(
      "switchback_cost_usd_total",
      "Dollars, of answers whose price is known.",
      of(({ cost }) => cost.nanoUsd / NANO),
    ),
    counter(
      "switchback_full_cost_usd_total",
      "Dollars, as if the provider had no cache.",
      of(({ cost }) => cost.fullNanoUsd / NANO),
    ),
    counter(
      "switchback_cost_known_total",
      "Answers whose cost is known.",
      of(({ cost }) => cost.answers),
    ),
  ];
}

function classesOf(rows: Row[]): Sample[] {
  return rows.flatMap(({ labels, tally: { sums } }) =>
    Object.entries(sums?.errorClasses ?? {}).map(([errorClass, value]) => ({
      labels: { ...labels, error_class: errorClass },
      value,
    })),
  );
}

function describeFeedback(rows: Row[]): Family[] {
  const known = rows.flatMap(({ labels, tally: { sums } }) => (sums === undefined ? [] : [{ labels, sums }]));
  const of = (read: ReadSums): Sample[] =>
    known.map(({ labels, sums }) => ({ labels, value: read(sums) ?? 0 }));
  const thumbs = known.flatMap(({ labels, sums }) =>
    (["up", "down"] as const).map((thumb) => ({ labels: { ...labels, thumb }, value: sums.thumbs[thumb] })),
  );
  return [
    // Gauges, because whoever gave a feedback may change it.
    gauge("switchback_thumbs", "Thumbs that were given.", thumbs),
    gauge(
      "switchback_scores",
      "How many scores were given.",
      of(({ scores }) => scores.units),
    ),
    gauge(
      "switchback_scores_sum",
      "Sum of the scores that were given, each 0 to 1.",
      of(({ scores }) => scores.sum / SCORE_SCALE),
    ),
    counter(
      "switchback_judge_scores_total",
      "Answers that the judge scored.",
      of(({ judge }) => judge.units),
    ),
    counter(
      "switchback_judge_scores_sum_total",
      "Sum of the judge's scores, each 0 to 1.",
      of(({ judge }) => judge.sum / SCORE_SCALE),
    ),
    counter(
      "switchback_judge_failures_total",
      "Answers that the judge gave no score.",
      of(({ counts }) => counts.judgeFailures),
    ),
    counter(
      "switchback_judge_cost_usd_total",
      "Dollars that the judge cost.",
      of(({ judge }) => judge.nanoUsd / NANO),
    ),
  ];
}

function describeSplits(releases: ScrapedRelease[]): Family[] {
  const weights = releases.flatMap(({ release }) =>
    release.arms.map(({ version, arm, weight }) => ({
      labels: { ...namesOf(release), version: String(version), arm },
      value: weight / 100,
    })),
  );
  const revisions = releases.map(({ release }) => ({ labels: namesOf(release), value: release.revision }));
  return [
    gauge("switchback_release_weight_ratio", "Share of the traffic that a version gets.", weights),
    gauge("switchback_release_revision", "Revision of the release; it grows with every change.", revisions),
  ];
}

function describeWatch(releases: ScrapedRelease[]): Family[] {
  const verdicts = releases.flatMap(({ release, health }) =>
    VERDICTS.map((verdict) => ({
      labels: { ...namesOf(release), verdict },
      value: health.verdict === verdict ? 1 : 0,
    })),
  );
  const frozen = releases.map(({ release, health }) => ({
    labels: namesOf(release),
    value: health.isFrozen ? 1 : 0,
  }));
  const guards = releases.flatMap(({ release, health }) =>
    health.comparisons.flatMap(({ baseline, canary, guards: all }) =>
      all.map((guard) => ({
        guard,
        labels: {
          ...namesOf(release),
          baseline: String(baseline),
          canary: String(canary),
          metric: guard.metric,
          action: guard.action,
        },
      })),
    ),
  );
  const ofGuards = (read: (guard: (typeof guards)[number]["guard"]) => number) =>
    guards.map(({ guard, labels }) => ({ labels, value: read(guard) }));
  return [
    gauge("switchback_verdict", "1 for the verdict of the watch, 0 for the others.", verdicts),
    gauge("switchback_frozen", "1 while a ramp would not go on.", frozen),
    gauge(
      "switchback_guardrail_evidence_nats",
      "Evidence against the canary, at its highest.",
      ofGuards(({ evidence }) => evidence),
    ),
    gauge(
      "switchback_guardrail_threshold_nats",
      "Evidence that it takes to act.",
      ofGuards(({ threshold }) => threshold),
    ),
    gauge(
      "switchback_guardrail_crossed",
      "1 where the guardrail has been crossed.",
      ofGuards(({ isCrossed }) => (isCrossed ? 1 : 0)),
    ),
  ];
}

function counter(name: string, help: string, samples: Sample[]): Family {
  return { name, type: "counter", help, samples };
}

function gauge(name: string, help: string, samples: Sample[]): Family {
  return { name, type: "gauge", help, samples };
}
