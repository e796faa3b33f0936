// A finished call as one point of Workers Analytics Engine. Pure. The order of columns is public (docs/telemetry.md): it
// may grow at its end and never changes. A double cannot be null, so what is unknown is 0 and a column says that it is.

import { isFailure } from "../core/metering/sums.ts";
import type { CallRecord } from "./call-record.ts";

export type DataPoint = { indexes: [string]; blobs: string[]; doubles: number[] };

/** blob1 … blob15. */
export const BLOBS = [
  "prompt",
  "environment",
  "version",
  "arm",
  "reason",
  "turn",
  "provider",
  "asked_model",
  "response_model",
  "fingerprint",
  "outcome",
  "error_class",
  "finish",
  "schema",
  "request_id",
] as const;

/** double1 … double20. */
export const DOUBLES = [
  "total_ms",
  "first_token_ms",
  "status",
  "input_tokens",
  "output_tokens",
  "cached_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "cost_usd",
  "full_cost_usd",
  "total_known",
  "first_token_known",
  "usage_known",
  "cost_known",
  "failed",
  "aborted",
  "hung",
  "streams",
  "revision",
  "version",
] as const;

/** The platform takes 96 bytes of an index. Prompts and versions are ASCII. */
const LONGEST_INDEX = 96;
const LONGEST_BLOB = 200;
const USD = 1_000_000_000;

export function toDataPoint(record: CallRecord): DataPoint {
  const blobs = blobsOf(record);
  const doubles = doublesOf(record);
  return {
    indexes: [`${record.prompt}:${record.stamp.version}`.slice(0, LONGEST_INDEX)],
    blobs: BLOBS.map((name) => (blobs[name] ?? "").slice(0, LONGEST_BLOB)),
    doubles: DOUBLES.map((name) => Number(doubles[name] ?? 0)),
  };
}

function blobsOf(record: CallRecord): { [name in (typeof BLOBS)[number]]: string | null } {
  const { stamp, outcome } = record;
  const failed = outcome.answer?.isSchemaFailure ?? null;
  return {
    prompt: record.prompt,
    environment: record.environment,
    version: String(stamp.version),
    arm: stamp.arm,
    reason: stamp.reason,
    turn: stamp.turn,
    provider: record.provider,
    asked_model: record.askedModel,
    response_model: outcome.answer?.model ?? null,
    fingerprint: outcome.answer?.fingerprint ?? null,
    outcome: outcome.kind,
    error_class: outcome.errorClass,
    finish: outcome.answer?.finish ?? null,
    schema: failed === null ? null : failed ? "failed" : "kept",
    request_id: record.requestId,
  };
}

function doublesOf(record: CallRecord): { [name in (typeof DOUBLES)[number]]: number | boolean | null } {
  const { stamp, outcome, streams } = record;
  const usage = outcome.answer?.usage ?? null;
  return {
    total_ms: outcome.totalMs,
    first_token_ms: outcome.firstTokenMs,
    status: outcome.status,
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cached_tokens: usage?.cachedInputTokens ?? null,
    cache_write_tokens: usage?.cacheWriteTokens ?? null,
    reasoning_tokens: usage?.reasoningTokens ?? null,
    cost_usd: outcome.cost === null ? null : outcome.cost.nanoUsd / USD,
    full_cost_usd: outcome.cost === null ? null : outcome.cost.fullNanoUsd / USD,
    total_known: outcome.totalMs !== null,
    first_token_known: outcome.firstTokenMs !== null,
    usage_known: usage !== null && usage.inputTokens !== null && usage.outputTokens !== null,
    cost_known: outcome.cost !== null,
    failed: isFailure(outcome),
    aborted: outcome.kind === "aborted",
    hung: outcome.isHung,
    streams,
    revision: stamp.revision,
    version: stamp.version,
  };
}
