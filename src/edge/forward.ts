// The call to the provider and its answer, byte for byte and unbuffered. The client's leaving ends the provider's
// work; the provider's dying mid-stream reaches the client as a broken stream. Watching never adds JavaScript between
// two chunks: a stream runs through the runtime's own pipe, and only its end is looked at.

import { problem, type Problem } from "../core/problem.ts";
import { cleanResponseHeaders } from "./headers.ts";
import type { Ctx } from "./releases.ts";
import type { OutcomeKind } from "./tallies.ts";

export type UpstreamCall = {
  url: string;
  method: string;
  headers: Headers;
  body: Uint8Array | ReadableStream | null;
};

/** The provider's answer, or why there is none. `aborted`: the client left before the first byte. */
export async function callUpstream(
  call: UpstreamCall,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Response | Problem | "aborted"> {
  const controller = new AbortController();
  const leave = () => controller.abort(new Error("The client left."));
  signal.addEventListener("abort", leave);
  const timer = setTimeout(() => controller.abort(new Error("No answer in time.")), timeoutMs);
  try {
    const { url, method, headers } = call;
    const body = call.body as BodyInit | null;
    // Redirects would take keys to another host; a decoded body could not go down as the bytes that it was.
    const fixed = { redirect: "manual", encodeResponseBody: "manual" } as const;
    return await fetch(url, { method, headers, body, signal: controller.signal, ...fixed });
  } catch {
    if (signal.aborted) return "aborted";
    if (controller.signal.aborted) {
      return problem("upstream_timeout", `The provider sent no answer within ${timeoutMs / 1000} s.`);
    }
    return problem("upstream_unreachable", "The connection to the provider failed. Retry shortly.");
  } finally {
    clearTimeout(timer);
  }
}

export type Relay = { body: ReadableStream | null; headers: Headers };

/** The response that carries the provider's bytes as they came, in the encoding that they came in. */
export function respondAs(upstream: Response, { body, headers }: Relay): Response {
  const { status, statusText } = upstream;
  return new Response(body, { status, statusText, headers, encodeBody: "manual" });
}

/** The answer for the client. `settle` is called once, when the outcome is known. */
export function relayAnswer(
  upstream: Response,
  request: { signal: AbortSignal },
  ctx: Ctx,
  settle: (outcome: OutcomeKind) => void,
): Relay {
  const headers = cleanResponseHeaders(upstream.headers);
  const failed = upstream.status >= 400;
  const streams = upstream.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  if (upstream.body === null || !streams) {
    settle(failed ? "error" : "ok");
    return { body: upstream.body, headers };
  }
  const { readable, writable } = new IdentityTransformStream();
  const piped = upstream.body.pipeTo(writable).then(
    () => settle(failed ? "error" : "ok"),
    () => settle(request.signal.aborted ? "aborted" : "error"),
  );
  ctx.waitUntil(piped);
  return { body: readable, headers };
}
