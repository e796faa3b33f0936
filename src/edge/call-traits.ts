// What a call is counted by, fixed when it is sent: under which stamp, by whom and for what, and whether its answer will be
// judged. Asked for while the call is under way already, so that none of it is waited for.

import { hashUnit } from "../core/hash.ts";
import type { Assignment, Release } from "../core/types.ts";
import { jsonDemandOf } from "../wire/json-demand.ts";
import { addCaller } from "./callers.ts";
import type { Question } from "./decide.ts";
import { drawSample, type JudgeSample } from "./judge-draw.ts";
import type { Entry } from "./releases.ts";
import type { CallTraits } from "./settle.ts";
import { peekVersion } from "./versions.ts";

const UNIT_BUCKETS = 64;

/** Buckets of units are no buckets of the split: another salt. */
export function describeCall(
  question: Question,
  entry: Entry,
  routed: Assignment,
  key: string,
  release: Release,
): CallTraits {
  const { scan, endpoint, provider, headers } = question;
  const { revision, version, arm, reason } = routed;
  const { format, count, streams } = endpoint;
  const compiled = peekVersion(entry.prompt, version)?.version.compiled ?? null;
  const isSticky = reason === "split" && release.unit !== "request";
  const unitBucket = isSticky ? hashUnit("unit-bucket", key) % UNIT_BUCKETS : null;
  const turn = scan.continues ? "later" : "first";
  const stamp = { revision, version, arm, reason, turn, unitBucket } as const;
  if (!count) {
    const { tools, json } = format.shapes(scan);
    const client = headers.get("user-agent") ?? null;
    addCaller(entry.callers, {
      body: scan.body,
      askedModel: scan.model,
      tools,
      schema: json?.schema ?? null,
      client,
    });
  }
  const demand = count ? null : jsonDemandOf(format, scan, compiled, provider);
  const askedModel = compiled?.model ?? scan.model;
  const sample = sampleFor(question, entry, routed, release);
  return { stamp, provider, askedModel, streams: streams ?? scan.stream, demand, sample };
}

/** Of a body that was read in part the question may be cut, so it is not judged. */
function sampleFor(
  { admission, scan, endpoint, isCut }: Question,
  { judging }: Entry,
  routed: Assignment,
  release: Release,
): JudgeSample | null {
  if (release.judge === undefined || endpoint.count || isCut === true) return null;
  const { firstUserText, continues } = scan;
  const turn = { firstUserText, continues, isJudge: admission?.hash === null };
  return drawSample(release, routed, turn, judging, Date.now(), Math.random);
}
