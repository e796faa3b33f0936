// Workers AI through the Worker's own binding, `/workers-ai/run/{model}` and `/workers-ai/v1/…`: no account in the path and
// no token to hold. The calls are the Worker's own, on its account's bill, so they take a proxy key. The binding takes an
// object and writes it anew: of numbers beyond 2^53 the last digits are lost here, and here alone.

import { problem, type Problem } from "../core/problem.ts";
import { decodeUtf8 } from "../core/text.ts";
import type { Json, JsonObject } from "../core/types.ts";
import type { AiBinding, Env } from "../env.ts";
import type { UpstreamCall } from "./forward.ts";

const RUN = /^\/run\/(.+?)\/*$/;
/** What the REST API serves below `/accounts/{id}/ai`, and the binding's models as well. */
const COMPATIBLE = /^\/v1\/(?:chat\/completions|responses|embeddings)\/*$/;

/** Is this a call for the binding? One with an account in its path, or a host of the configuration's, is not. */
export function isBindingPath(provider: string, path: string, env: Env): boolean {
  // Of another name it has a host of its own.
  if (provider !== "workers-ai" || env.UPSTREAM_WORKERS_AI) return false;
  return RUN.test(path) || COMPATIBLE.test(path);
}

export function checkBinding(provider: string, path: string, env: Env): Problem | null {
  if (env.AI !== undefined || !isBindingPath(provider, path, env)) return null;
  return problem(
    "provider_not_found",
    `The Worker has no AI binding, so the path has to name an account: /workers-ai/accounts/{account id}/ai${path.slice(0, 80)}. Or add the binding to wrangler.toml: [ai] binding = "AI".`,
  );
}

/** The call as the binding takes it; a problem where it cannot. */
export function bindCall(call: UpstreamCall, path: string, ai: AiBinding): UpstreamCall | Problem {
  const inputs = call.body instanceof Uint8Array ? parseObject(call.body) : null;
  if (inputs === null) {
    return problem(
      "invalid_request",
      "Through the AI binding only JSON objects can be sent. Send bytes to /workers-ai/accounts/{account id}/ai/run/{model}.",
    );
  }
  const inPath = RUN.exec(path)?.[1];
  const { model, ...others } = inputs;
  const named = inPath === undefined ? model : decode(inPath);
  if (typeof named !== "string" || named === "") {
    return problem("invalid_request", "model must be the name of a model.", { field: "model" });
  }
  const given = inPath === undefined ? others : inputs;
  return { ...call, send: (signal) => ai.run(named, given, { returnRawResponse: true, signal }) };
}

function parseObject(body: Uint8Array): JsonObject | null {
  try {
    const value = JSON.parse(decodeUtf8(body) ?? "") as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
