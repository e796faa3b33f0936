// What a request says about itself: which prompt, environment and version it names, its variables, and what its
// stickiness is keyed on (contract §2.2). Pure, over the route, the headers and the scan of the body.

import { fingerprint64 } from "../core/hash.ts";
import { problem, type Problem } from "../core/problem.ts";
import {
  ALIAS_PATTERN,
  DEFAULT_ENVIRONMENT,
  NAME_PATTERN,
  type JsonObject,
  type Unit,
} from "../core/types.ts";
import { modelInPath } from "../wire/model-path.ts";
import type { Endpoint, Scan } from "../wire/wire.ts";
import { sessionOf, type Agent } from "./clients.ts";
import type { Route } from "./route.ts";

const MODEL_PREFIX = "prompt:";

export type Reader = { get(name: string): string | undefined };

/** The prompt named by URL or header, before the body is read. */
export function nameOutsideBody(route: Route, headers: Reader): string | null {
  return route.prompt ?? headers.get("prompt-name") ?? null;
}

/** The prompt that the body names: OpenAI's own `prompt.id`, else `model: "prompt:{name}"`, which may stand in the path
 * where the model does (a body beside it may still say one, as Azure's SDK has it). */
export function nameInBody(scan: Scan, path: string, endpoint: Endpoint): string | null {
  if (scan.promptField !== null) return scan.promptField.id;
  for (const model of [modelInPath(path, endpoint), scan.model]) {
    if (model?.startsWith(MODEL_PREFIX)) return model.slice(MODEL_PREFIX.length);
  }
  return null;
}

/** A path that only names the prompt where the model belongs. */
export function checkModelInPath(path: string, endpoint: Endpoint): Problem | null {
  const model = modelInPath(path, endpoint);
  if (model === null || !model.startsWith(MODEL_PREFIX)) return null;
  return problem(
    "invalid_request",
    `The version served names no model, so the path has to: "${model.slice(0, 80)}" only names the prompt.`,
    { field: "path" },
  );
}

export function checkReference(name: string): Problem | null {
  // Every name has the form of an alias too.
  if (ALIAS_PATTERN.test(name)) return null;
  return problem("prompt_not_found", `"${name.slice(0, 80)}" cannot be the name of a prompt.`);
}

export function environmentOf(route: Route, headers: Reader): string | Problem {
  const environment = route.environment ?? headers.get("prompt-environment") ?? DEFAULT_ENVIRONMENT;
  if (NAME_PATTERN.test(environment)) return environment;
  return problem("invalid_request", `"${environment.slice(0, 80)}" cannot be the name of an environment.`, {
    field: route.environment === null ? "Prompt-Environment" : "path",
  });
}

/** `Prompt-Version: 7`, else the body's `prompt.version`; null: the split decides. */
export function pinOf(headers: Reader, scan: Scan): number | null | Problem {
  const header = headers.get("prompt-version");
  if (header === undefined) return scan.promptField?.version ?? null;
  if (/^[1-9]\d{0,8}$/.test(header.trim())) return Number(header);
  return problem(
    "invalid_request",
    `Prompt-Version must be a version number such as 7, not "${header.slice(0, 40)}".`,
    {
      field: "Prompt-Version",
    },
  );
}

/** Body `prompt.variables`, body `prompt_variables`, header `Prompt-Variables`: merged in this order, later wins. */
export function variablesOf(headers: Reader, scan: Scan): { values: JsonObject | null } | Problem {
  const header = headers.get("prompt-variables");
  const inField = scan.promptField?.variables ?? null;
  if (header === undefined && scan.promptVariables === null) return { values: inField };
  const fromHeader = header === undefined ? null : parseVariables(header);
  if (fromHeader === "malformed") {
    return problem(
      "variable_invalid",
      "Prompt-Variables must be one JSON object in ASCII (escape other characters as \\uXXXX).",
      {
        field: "Prompt-Variables",
      },
    );
  }
  return { values: { ...inField, ...scan.promptVariables, ...fromHeader } };
}

function parseVariables(header: string): JsonObject | "malformed" {
  try {
    const value: unknown = JSON.parse(header);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : "malformed";
  } catch {
    return "malformed";
  }
}

export type UnitKey = {
  key: string;
  /** Fingerprint of the conversation that the request belongs to, for drains; null: nothing tells. */
  conversation: string | null;
  /** What a later turn that only names the response before it has to find out (chains.ts): when its conversation began
   * (`keyed`), or its key as well (`keyless`); null: nothing, for every turn says who it belongs to. */
  chain: "keyed" | "keyless" | null;
};

/** Header `Prompt-Key`, else the format's own field for the unit, else the first user message, else the request. */
export function unitKeyOf(
  unit: Unit,
  headers: Reader,
  scan: Scan,
  { requestId, agent }: { requestId: string; agent: Agent | null },
): UnitKey {
  // An empty key is no key: it would put everybody who has none on one arm.
  const header = headers.get("prompt-key") || null;
  if (unit === "request") {
    return { key: header ?? requestKeyOf(headers, scan) ?? requestId, conversation: null, chain: null };
  }
  const session = agent === null ? null : sessionOf(agent, headers, scan);
  if (unit === "conversation" && header === null && session !== null) return inSession(session, scan);
  const ofConversation = unit === "conversation" ? (header ?? scan.conversationKey) : null;
  if (ofConversation !== null) {
    return { key: ofConversation, conversation: fingerprint64(ofConversation), chain: null };
  }
  const message = scan.firstUserText === null ? null : `first-message:${fingerprint64(scan.firstUserText)}`;
  const said = header ?? scan.userKey ?? scan.conversationKey;
  const key = said ?? message ?? requestId;
  const own = scan.conversationKey ?? message;
  return {
    key,
    conversation: own === null ? null : fingerprint64(`${key}\n${own}`),
    chain: scan.conversationKey !== null ? null : said === null ? "keyless" : "keyed",
  };
}

/** A session of a coding agent keeps its version, though it holds many conversations (subagents, titles, what follows a
 * compaction): for drains each is told by its own first message. */
function inSession(session: string, scan: Scan): UnitKey {
  const own = scan.previousResponse === null ? (scan.firstUserText ?? "") : "";
  return { key: session, conversation: fingerprint64(`${session}\n${fingerprint64(own)}`), chain: null };
}

/** What all attempts at one request share: the client's own id, else, where an SDK counts its attempts (from 0 on), the
 * first message and the length, which are known before a body is. Two requests that are alike share an arm then. null:
 * nothing tells. */
function requestKeyOf(headers: Reader, scan: Scan): string | null {
  const id = headers.get("idempotency-key") || headers.get("amz-sdk-invocation-id");
  if (id) return id;
  if (headers.get("x-stainless-retry-count") === undefined) return null;
  const length = headers.get("content-length") ?? "";
  return `attempts:${length}:${fingerprint64(scan.firstUserText ?? "")}`;
}
