// The contract of a wire format: where the prompt goes in its request bodies, what the request says about itself,
// and how an error of ours looks to its SDKs. One file per format implements it; one suite runs against all.
// Guarantee 4: injection changes spans of the caller's bytes and nothing else.

import type { Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { JsonObject } from "../core/types.ts";
import type { AnswerRules } from "./answer.ts";
import type { Name } from "./json-tree.ts";
import type { Settings } from "./settings.ts";
import type { Shapes } from "./shapes.ts";
import type { Patch } from "./splice.ts";

export type FormatId =
  | "openai-chat"
  | "openai-responses"
  | "anthropic-messages"
  | "bedrock-converse"
  | "gemini"
  | "openai-realtime"
  | "openai-realtime-beta"
  | "workers-ai";

/** Whose error envelope a caller expects. */
export type Family = "openai" | "anthropic" | "gemini" | "gemini-array" | "bedrock" | "workers-ai";

/** What one pass over a request body found. `spans` belongs to the format that made it. */
export type Scan<Spans = unknown> = {
  body: Uint8Array;
  /** OpenAI's own `prompt: {id, version, variables}`. */
  promptField: { id: string; version: number | null; variables: JsonObject | null } | null;
  /** Top-level `prompt_variables`. */
  promptVariables: JsonObject | null;
  model: string | null;
  stream: boolean;
  /** The format's own fields for a unit key, first one first, per unit. */
  conversationKey: string | null;
  userKey: string | null;
  /** Text of the first user message, decoded, at most its first 16 KiB and its length; of one without text (an image
   * alone) a fingerprint that begins with NUL; null without such a message. */
  firstUserText: string | null;
  /** An assistant turn stands in the history (a trailing assistant prefill is none), or the request names an earlier
   * response or conversation. */
  continues: boolean;
  previousResponse: string | null;
  /** No conversation, so that no prompt goes into it, whatever names one. */
  passes?: boolean;
  /** The provider is asked not to keep the answer, so no later turn can name it. */
  isUnstored?: boolean;
  /** The system text begins with Claude Code's attribution block. */
  isAttributed?: boolean;
  spans: Spans;
};

/** What a format makes of a rendered version: its own pieces, and the settings that all formats share. */
export type Pieces = { settings: Settings };

export type PrepareOptions = {
  provider: string;
  /** A token-count endpoint, which refuses sampling parameters. */
  count: boolean;
  /** The path names the model, so the body says none. */
  modelInPath?: boolean;
  /** The deployment wants usage of streams whose callers do not say whether they do (STREAM_USAGE). */
  asksUsage?: boolean;
};

/** How a body of the format may go up while it still comes in (partial-body.ts). */
export type StreamRule<Spans = unknown, Prepared extends Pieces = Pieces> = {
  /** The list that most of a large body is. */
  list: Name;
  /** The member of an item that says where the prompt goes: the one that is cut must not have it twice. null: none. */
  watched: Name | null;
  /** Can nothing that may still come change what the version puts into the list and before it? In `scan` the list is cut
   * short, and its last item may be. */
  isSettled(scan: Scan<Spans>, prepared: Prepared): boolean;
};

export type WireFormat<Spans = unknown, Prepared extends Pieces = Pieces> = {
  id: FormatId;
  family: Family;
  answers: AnswerRules;
  /** Finds all that is needed in one pass. Malformed JSON, a body that is no object or no UTF-8: `invalid_request`. */
  scan(body: Uint8Array, resource?: Resource | null): Scan<Spans> | Problem;
  /** What of the body is its caller's code. */
  shapes(scan: Scan<Spans>): Shapes;
  /** Does the caller of a stream leave it open whether it reports usage, so that it does not and may be asked to? Without
   * this, streams of the format always report it. */
  leavesUsageOpen?(scan: Scan<Spans>): boolean;
  /** Encodes a rendered version once; the result is reused for every request while the version has no variables. */
  prepare(rendered: Rendered, options: PrepareOptions): Prepared;
  /** What `inject` splices, sorted: for a body that is sent while it is still being read. */
  plan(scan: Scan<Spans>, prepared: Prepared): Patch[] | Problem;
  /** Splices. A request that cannot take the prompt is refused, never sent half-prompted. */
  inject(scan: Scan<Spans>, prepared: Prepared): Uint8Array | Problem;
  /** null: a body of this format is always read whole. */
  stream: StreamRule<Spans, Prepared> | null;
};

/** A turn-creating endpoint; `count`: it only counts tokens. */
export type Endpoint = {
  format: WireFormat;
  count: boolean;
  /** Whether the path says that the answer streams; null: the body's `stream` does. */
  streams: boolean | null;
  /** Where the model stands in the path as it was sent; null: the body names it. `naming`: as one segment (unless given),
   * as segments of their own, or as the last one of a resource name, its collection before it. */
  modelAt: { from: number; to: number; naming?: "segment" | "path" | "resource" } | null;
  /** What the path names, for the formats whose bodies repeat it; null: nothing of that kind. */
  resource: Resource | null;
};

/** `models/gemini-3` as a path of Google's names it. */
export type Resource = { collection: string; model: string; isVertex: boolean };
