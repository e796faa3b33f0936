// Why a key gets its version, in one sentence that can be read out to the person who asked.

import { BUCKETS, type Reason } from "../../core/types.ts";
import { paint, plain, type Look } from "./look.ts";

export type Explained = {
  prompt: string;
  environment: string;
  key: string;
  version: number;
  arm: string;
  reason: Reason;
  revision: number;
  bucket: number;
};

const REASONS: { [reason in Reason]: string } = {
  static: "one version has all the traffic",
  split: "its bucket belongs to this arm",
  pinned: "the request names the version",
  drain: "its conversation began before the last change and is kept where it began",
  no_lease: "the release could not be confirmed in time, so the baseline answers",
  fallback: "the canary failed, so the baseline answered",
};

export function formatExplanation(look: Look, explained: Explained): string[] {
  const { prompt, environment, key, version, arm, reason, revision, bucket } = explained;
  const style = arm === "baseline" ? "green" : "yellow";
  return [
    `"${plain(key)}" gets ${paint(look, style, `v${version} (${arm})`)} of ${paint(look, "bold", prompt)} in ${environment}`,
    `  ${reason}: ${REASONS[reason]} (bucket ${bucket} of ${BUCKETS}), revision ${revision}`,
  ];
}
