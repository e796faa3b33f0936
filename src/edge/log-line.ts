// A finished call as one structured log line: OTel's names for generative AI and feature flags where there are any,
// `switchback.*` for the rest. Pure. Guarantee: nothing in it is text of a prompt or an answer, a key or a query string;
// what nobody knows is left out, not zero.

import { isFailure } from "../core/metering/sums.ts";
import type { Finish, Outcome } from "../core/metering/outcome.ts";
import { makerOf } from "../core/providers.ts";
import type { Reason } from "../core/types.ts";
import type { CallRecord } from "./call-record.ts";

export type LogLine = { [name: string]: string | number | boolean | string[] };

/** gen_ai.provider.name, where OTel's registry calls a provider otherwise. */
const OTEL_PROVIDERS: Readonly<Record<string, string>> = {
  gemini: "gcp.gemini",
  azure: "azure.ai.openai",
  bedrock: "aws.bedrock",
  mistral: "mistral_ai",
  xai: "x_ai",
};

/** feature_flag.result.reason; ours stands in switchback.reason. */
const OTEL_REASONS: Record<Reason, string> = {
  static: "static",
  split: "split",
  pinned: "targeting_match",
  drain: "cached",
  no_lease: "stale",
  fallback: "default",
};

const OTEL_FINISHES: Record<Finish, string> = {
  stop: "stop",
  length: "length",
  refusal: "content_filter",
  tool: "tool_call",
  other: "other",
};

/** Names come from callers and providers, and a line is to stay a line. */
const LONGEST_NAME = 200;
const USD = 1_000_000_000;

export function describeCall(record: CallRecord): LogLine {
  const { stamp, outcome, environment, prompt } = record;
  const line: { [name: string]: LogLine[string] | null } = {
    event: "request",
    "switchback.request.id": record.requestId,
    "gen_ai.operation.name": makerOf(record.provider) === "gemini" ? "generate_content" : "chat",
    "gen_ai.provider.name": OTEL_PROVIDERS[makerOf(record.provider)] ?? record.provider,
    "gen_ai.request.model": shorten(record.askedModel),
    "gen_ai.prompt.name": prompt,
    "gen_ai.prompt.version": String(stamp.version),
    "feature_flag.key": prompt,
    "feature_flag.set.id": environment,
    "feature_flag.provider.name": "switchback",
    "feature_flag.result.variant": `v${stamp.version}`,
    "feature_flag.result.reason": OTEL_REASONS[stamp.reason],
    "feature_flag.version": String(stamp.revision),
    "switchback.arm": stamp.arm,
    "switchback.reason": stamp.reason,
    "switchback.turn": stamp.turn,
    "switchback.streams": record.streams,
    ...describeOutcome(outcome),
    ...describeAnswer(outcome),
  };
  return Object.fromEntries(Object.entries(line).filter(([, value]) => value !== null)) as LogLine;
}

function describeOutcome(outcome: Outcome): { [name: string]: LogLine[string] | null } {
  const { firstTokenMs, cost } = outcome;
  return {
    "switchback.outcome": outcome.kind,
    "http.response.status_code": outcome.status,
    "error.type": outcome.errorClass ?? (outcome.isHung ? "timeout" : null),
    "switchback.hung": outcome.isHung ? true : null,
    // OTel counts in seconds.
    "gen_ai.response.time_to_first_chunk": firstTokenMs === null ? null : firstTokenMs / 1_000,
    "switchback.duration_ms": outcome.totalMs,
    "switchback.cost_usd": cost === null ? null : cost.nanoUsd / USD,
    "switchback.full_cost_usd": cost === null ? null : cost.fullNanoUsd / USD,
  };
}

function describeAnswer({ answer }: Outcome): { [name: string]: LogLine[string] | null } {
  if (answer === null) return {};
  const { usage, finish } = answer;
  return {
    "gen_ai.response.model": shorten(answer.model),
    "switchback.response.fingerprint": shorten(answer.fingerprint),
    "gen_ai.response.finish_reasons": finish === null ? null : [OTEL_FINISHES[finish]],
    "gen_ai.usage.input_tokens": usage?.inputTokens ?? null,
    "gen_ai.usage.output_tokens": usage?.outputTokens ?? null,
    "gen_ai.usage.cache_read.input_tokens": usage?.cachedInputTokens ?? null,
    "gen_ai.usage.cache_creation.input_tokens": usage?.cacheWriteTokens ?? null,
    "gen_ai.usage.reasoning.output_tokens": usage?.reasoningTokens ?? null,
    "switchback.schema_failure": answer.isSchemaFailure,
  };
}

/** `LOG_REQUESTS`: `all`, `off`, `errors` (and whatever is none of these), or a share of the good ones, `0.01`, beside all
 * errors. A request is in a share or not by its id, in every share that is larger too. */
export function isLogged(setting: string | undefined, record: CallRecord): boolean {
  const wanted = setting?.trim().toLowerCase() ?? "";
  if (wanted === "off") return false;
  if (wanted === "all" || isBad(record.outcome)) return true;
  const share = /^(0(\.\d+)?|1(\.0+)?|\.\d+)$/.test(wanted) ? Number(wanted) : 0;
  return shareOf(record.requestId) < share;
}

function isBad(outcome: Outcome): boolean {
  return isFailure(outcome) || outcome.errorClass !== null;
}

/** 0 to 1, of the random digits that an id begins with; 1 where there are none. */
function shareOf(requestId: string): number {
  const digits = Number.parseInt(requestId.slice(0, 8), 16);
  return Number.isNaN(digits) ? 1 : digits / 2 ** 32;
}

function shorten(name: string | null): string | null {
  return name === null ? null : name.slice(0, LONGEST_NAME);
}
