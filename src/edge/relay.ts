// The provider's answer on its way down, byte for byte and unbuffered. The client's leaving ends the provider's work;
// the provider's dying mid-stream reaches the client as a broken stream. Watching never adds JavaScript between two
// chunks: a stream runs through the runtime's own pipe, and only its end is looked at.

import { isReadable, pipeWithLook, type Look } from "./head.ts";
import { cleanResponseHeaders } from "./headers.ts";
import type { Ctx } from "./releases.ts";
import type { OutcomeKind } from "./tallies.ts";

/** The provider's answer for the client: its bytes as they came, in the encoding that they came in, its headers cleaned.
 * `settle` is called once, when the outcome is known. `look` sees the first bytes of a good answer. */
export function relayAnswer(
  upstream: Response,
  signal: AbortSignal,
  ctx: Ctx,
  settle: (outcome: OutcomeKind) => void,
  look: Look | null = null,
): Response {
  const failed = upstream.status >= 400;
  const answer = copyAnswer(upstream, upstream.body);
  const seen = failed || !isReadable(answer.headers) ? null : look;
  const streams = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  if (upstream.body === null || (!streams && seen === null)) {
    settle(failed ? "error" : "ok");
    return answer;
  }
  const { readable, writable } = openPipe(answer.headers);
  const piping =
    seen === null
      ? upstream.body.pipeTo(writable, { signal })
      : pipeWithLook(upstream.body, writable, seen, signal);
  const piped = piping.then(
    () => settle(failed ? "error" : "ok"),
    () => settle(signal.aborted ? "aborted" : "error"),
  );
  ctx.waitUntil(piped);
  return new Response(readable, answer);
}

/** An answer of known length keeps it. */
function openPipe(headers: Headers): TransformStream {
  const length = headers.get("content-length");
  return length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
}

/** A copy whose headers can be changed, the encoding of its body included (`encodeResponseBody` above). */
export function copyAnswer(upstream: Response, body: ReadableStream | null): Response {
  const answer = new Response(body, upstream);
  cleanResponseHeaders(answer.headers);
  return answer;
}
