// The call to the provider and its answer, byte for byte and unbuffered. The client's leaving ends the provider's
// work; the provider's dying mid-stream reaches the client as a broken stream. Watching never adds JavaScript between
// two chunks: a stream runs through the runtime's own pipe, and only its end is looked at.

import { problem, type Problem } from "../core/problem.ts";
import { cleanResponseHeaders } from "./headers.ts";
import type { Ctx } from "./releases.ts";
import type { OutcomeKind } from "./tallies.ts";
import { within } from "./time.ts";

export type UpstreamCall = {
  url: string;
  method: string;
  headers: Headers;
  body: Uint8Array | ReadableStream | null;
};

/** The provider's answer, or why there is none. `aborted`: the client left before the first byte. The client's own
 * signal ends the provider's work: a controller and a timer of ours in between cost 60,000 instructions a request, a
 * tenth of what a bare pass-through takes (callgrind). */
export async function callUpstream(
  call: UpstreamCall,
  signal: AbortSignal,
  timeoutMs: number | null,
): Promise<Response | Problem | "aborted"> {
  const { url, method, headers } = call;
  const body = call.body as BodyInit | null;
  // Redirects would take keys to another host; a decoded body could not go down as the bytes that it was.
  const fixed = { redirect: "manual", encodeResponseBody: "manual" } as const;
  try {
    const calling = fetch(url, { method, headers, body, signal, ...fixed });
    const answer = timeoutMs === null ? await calling : await within(timeoutMs, calling);
    if (answer !== undefined) return answer;
    // Whatever comes now comes too late: nobody is there to read it.
    calling.then((late) => late.body?.cancel()).catch(() => {});
    return problem("upstream_timeout", `The provider sent no answer within ${(timeoutMs ?? 0) / 1000} s.`);
  } catch {
    if (signal.aborted) return "aborted";
    return problem("upstream_unreachable", "The connection to the provider failed. Retry shortly.");
  }
}

/** The provider's answer for the client: its bytes as they came, in the encoding that they came in, its headers cleaned.
 * `settle` is called once, when the outcome is known. */
export function relayAnswer(
  upstream: Response,
  signal: AbortSignal,
  ctx: Ctx,
  settle: (outcome: OutcomeKind) => void,
): Response {
  const failed = upstream.status >= 400;
  const answer = copyAnswer(upstream, upstream.body);
  const streams = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  if (upstream.body === null || !streams) {
    settle(failed ? "error" : "ok");
    return answer;
  }
  const { readable, writable } = new IdentityTransformStream();
  const piped = upstream.body.pipeTo(writable, { signal }).then(
    () => settle(failed ? "error" : "ok"),
    () => settle(signal.aborted ? "aborted" : "error"),
  );
  ctx.waitUntil(piped);
  return new Response(readable, answer);
}

/** A copy whose headers can be changed, the encoding of its body included (`encodeResponseBody` above). */
export function copyAnswer(upstream: Response, body: ReadableStream | null): Response {
  const answer = new Response(body, upstream);
  cleanResponseHeaders(answer.headers);
  return answer;
}
