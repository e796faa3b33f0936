// Was it the prompt? Pure: what is known of a window goes in, suspects with their reasons come out. Guarantees: where both
// arms are alike the prompt is not blamed; without a symptom nobody is; no number is said that was not counted.
//
// | cause    | for                                                            | against                                    |
// |----------|----------------------------------------------------------------|--------------------------------------------|
// | prompt   | the canary is worse than its baseline on the same traffic; or   | both are alike; errors are the provider's  |
// |          | it began when another version became the baseline               |                                            |
// | upstream | the same version, as a baseline, has become worse              | the errors are no provider's; only the     |
// |          |                                                                | canary is worse                            |
// | model    | another model or build began to answer when it began           | the canary alone is worse                  |
// | caller   | other tools, schemas, models, clients came when it began       | the canary alone is worse                  |
// | credentials | most errors say that who asks is not let in                  |                                            |

import { openCase, shareOf, type Case } from "./diagnosis-case.ts";
import { listTimeline, sayRevision, type Change } from "./diagnosis-changes.ts";
import { isNear } from "./diagnosis-trial.ts";
import {
  sayOnset,
  sayRate,
  saySince,
  type Diagnosis,
  type Evidence,
  type Onset,
  type Suspect,
} from "./diagnosis.ts";
import { classesOf, type ErrorClass } from "./metering/outcome.ts";

const MINUTE_MS = 60_000;

const PROVIDERS: ReadonlySet<string> = new Set(classesOf("provider"));
const ASKERS: ReadonlySet<string> = new Set(classesOf("asker"));
/** What no version can cause. */
const OUTSIDE: ReadonlySet<string> = new Set([...PROVIDERS, ...ASKERS]);
const CALLERS: ReadonlySet<string> = new Set<ErrorClass>(["invalid_request", "context_length", "variables"]);

export function diagnose(evidence: Evidence): Diagnosis {
  const { prompt, environment, sinceMs, untilMs, metrics } = evidence;
  const found = openCase(evidence);
  const suspects = listSuspects(found);
  const { onset, earlier, changes } = found;
  const timeline = listTimeline(evidence, changes);
  for (const one of [onset, earlier]) {
    if (one !== null) timeline.push({ at: one.at, kind: "onset", says: sayEntry(one) });
  }
  return {
    prompt,
    environment,
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    summary: summarize(found, suspects),
    onset,
    suspects,
    timeline: timeline.toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at)),
    errorClasses: metrics.arms.map(({ version, arm, requests, errors, errorClasses: classes }) => {
      return { version, arm, requests, errors, classes };
    }),
  };
}

function sayEntry(onset: Onset): string {
  return onset.until === null ? sayOnset(onset) : `${sayOnset(onset)}, until ${onset.until}`;
}

function listSuspects(found: Case): Suspect[] {
  const { onset, contrast, evidence } = found;
  const isUpstream = (evidence.health?.upstream ?? []).length > 0;
  const isConvicted = contrast.worse.length > 0 || contrast.convictions.length > 0;
  if (onset === null && !isConvicted && !isUpstream) return [];
  return [
    suspectPrompt(found),
    suspectUpstream(found),
    suspectChange(found, "model"),
    suspectChange(found, "caller"),
    suspectCredentials(found),
  ]
    .filter((one) => one !== null && one.for.length > 0 && one.weight > 0)
    .map((one) => ({ ...one!, weight: Math.round(100 * Math.min(0.99, one!.weight)) / 100 }))
    .toSorted((one, other) => other.weight - one.weight);
}

function suspectPrompt(found: Case): Suspect | null {
  const { evidence, onset, baselineRise, contrast, stepMs } = found;
  const { worse, alike, convictions } = contrast;
  const suspect: Suspect = { cause: "prompt", for: [], against: [], weight: 0 };
  suspect.for.push(...worse.map(({ says }) => says), ...convictions);
  suspect.against.push(...alike);
  if (worse.length > 0)
    suspect.weight = 0.55 + Math.min(0.35, (Math.max(...worse.map(({ z }) => z)) - 3) / 20);
  if (convictions.length > 0) suspect.weight = Math.max(0.92, suspect.weight);
  const began = onset === null || baselineRise !== null ? null : baselineChangedBy(evidence, onset, stepMs);
  if (began !== null && worse.length === 0 && alike.length === 0) {
    suspect.for.push(`it began with ${began}`);
    const share = shareOf(found, OUTSIDE);
    const isOutside = onset?.metric === "errors" && share !== null && share >= 0.5;
    if (isOutside)
      suspect.against.push(`${sayRate(share)} of the errors are of a kind that no version causes`);
    suspect.against.push("the two versions were not compared on the same traffic");
    suspect.weight = isOutside ? 0.35 : 0.7;
  }
  return suspect;
}

function suspectUpstream(found: Case): Suspect {
  const { evidence, baselineRise, contrast } = found;
  const suspect: Suspect = { cause: "upstream", for: [], against: [], weight: 0 };
  const { upstream = [] } = evidence.health ?? {};
  for (const { metric, usualRate, rate, since } of upstream) {
    const now = rate === null ? "" : `, now ${sayRate(rate)}`;
    const what = metric === "errors" ? "errors" : "slow answers";
    suspect.for.push(`the baseline's own ${what}, usually ${sayRate(usualRate)}${now}, since ${since}`);
  }
  if (baselineRise !== null) {
    suspect.for.push(`v${baselineRise.version} itself, as the baseline: ${sayOnset(baselineRise)}`);
  }
  if (suspect.for.length === 0) return suspect;
  suspect.for.push(...contrast.alike);
  suspect.weight = upstream.length > 0 ? 0.75 : 0.55;
  const share = shareOf(found, PROVIDERS);
  if (baselineRise?.metric === "latency" || share === null) return suspect;
  const says = `${sayRate(share)} of the errors are of a kind that providers make`;
  (share >= 0.5 ? suspect.for : suspect.against).push(says);
  suspect.weight += share >= 0.5 ? 0.2 : -0.3;
  return suspect;
}

function suspectChange(found: Case, cause: "model" | "caller"): Suspect | null {
  const { onset, stepMs, contrast, changes, baselineRise } = found;
  const mine = changes.filter((change) => change.cause === cause);
  if (onset === null || mine.length === 0) return null;
  const near = mine.filter(({ atMs }) => isNear(Date.parse(onset.at), atMs, stepMs));
  const suspect: Suspect = { cause, for: near.map((one) => sayWhen(one, onset)), against: [], weight: 0 };
  if (near.length === 0) return null;
  suspect.weight = cause === "model" ? 0.85 : 0.8;
  const share = shareOf(found, PROVIDERS);
  if (onset.metric === "errors" && share !== null && share >= 0.5) {
    suspect.against.push(`${sayRate(share)} of the errors are of a kind that providers make`);
    suspect.weight -= 0.3;
  }
  const asked = shareOf(found, CALLERS);
  if (cause === "caller" && onset.metric === "errors" && asked !== null && asked >= 0.5) {
    suspect.for.push(`${sayRate(asked)} of the errors say that the request was wrong`);
    suspect.weight += 0.12;
  }
  if (contrast.worse.length > 0 && baselineRise === null) {
    suspect.against.push("the canary is worse, and the baseline is as it was");
    suspect.weight -= 0.4;
  }
  return suspect;
}

function suspectCredentials(found: Case): Suspect | null {
  const share = found.onset?.metric === "errors" ? shareOf(found, ASKERS) : null;
  if (share === null || share < 0.5) return null;
  const says = `${sayRate(share)} of the errors say that who asks is not let in`;
  return { cause: "credentials", for: [says], against: [], weight: 0.9 };
}

function sayWhen({ says, atMs }: Change, { at }: Onset): string {
  const minutes = Math.round((Date.parse(at) - atMs) / MINUTE_MS);
  const when =
    minutes === 0 ? "as it began" : minutes > 0 ? `${minutes} min before` : `${-minutes} min after`;
  return `${says}, ${when}`;
}

/** The last revision before it that made another version the baseline. */
function baselineChangedBy({ revisions }: Evidence, onset: Onset, stepMs: number): string | null {
  const found = revisions.find(
    ({ at, before, after }) =>
      before !== null &&
      before.baseline !== after.baseline &&
      isNear(Date.parse(onset.at), Date.parse(at), stepMs),
  );
  return found === undefined ? null : sayRevision(found);
}

const CAUSES: { [cause in Suspect["cause"]]: string } = {
  prompt: "the prompt",
  upstream: "the provider",
  model: "another model or build behind the same name",
  caller: "a change in what callers send",
  credentials: "credentials, a caller's or the account's",
};

/** From this weight on a second suspect is named too. */
const ALSO = 0.5;
/** Below, the first suspect is one perhaps: a canary that is worse by less than 4 standard errors, a rise alone. */
const LIKELY = 0.6;

function summarize({ onset, contrast, evidence }: Case, suspects: readonly Suspect[]): string {
  const since = onset === null ? "" : ` ${saySince(onset)}.`;
  const [first, second] = suspects;
  if (first !== undefined) {
    const also = second !== undefined && second.weight >= ALSO ? ` And maybe ${CAUSES[second.cause]}.` : "";
    const how = first.weight < LIKELY ? "Perhaps" : "Likeliest";
    return `${how}: ${CAUSES[first.cause]}.${also}${since}`;
  }
  if (onset !== null) {
    const what = onset.until === null ? "Something is worse" : "Something was worse";
    return `${what}, and nothing that changed explains it.${since}`;
  }
  const requests = evidence.metrics.versions.reduce((all, one) => all + one.requests, 0);
  if (requests === 0) return "Nothing to go by: no request was counted in this window.";
  const alike =
    contrast.alike.length === 0 ? "" : ` ${contrast.alike[0]!.replace(/^./, (c) => c.toUpperCase())}.`;
  return `Nothing found: in ${requests} requests neither errors nor latency rose.${alike}`;
}
