// The call to the provider. The client's leaving ends the provider's work, before the first byte and after it.

import { problem, type Problem } from "../core/problem.ts";

/** `sent`: settles when all of the body is up, or will not be; the provider's time begins then. `signal`: it was broken off. */
export type Upload = { sent: Promise<unknown>; signal: AbortSignal };

export type UpstreamCall = {
  url: string;
  method: string;
  headers: Headers;
  body: Uint8Array | ReadableStream | null;
  /** How it goes up, where not over HTTP. */
  send?: (signal: AbortSignal) => Promise<Response>;
  /** Of a body that still comes in. */
  upload?: Upload;
};

/** The provider's answer, or why there is none. `aborted`: the client left before the first byte. The client's own
 * signal ends the provider's work (the compatibility flag `request_signal_passthrough` lets it through): a controller and a
 * timer of ours in between cost 60,000 instructions a request, a tenth of what a bare pass-through takes (callgrind), so they
 * are there only where a limit is set. */
export async function callUpstream(
  call: UpstreamCall,
  signal: AbortSignal,
  timeoutMs: number | null,
): Promise<Response | Problem | "aborted"> {
  const { upload } = call;
  const own = upload === undefined ? [] : [upload.signal];
  if (timeoutMs === null) return fetchAnswer(call, signal, anyOf(signal, own));
  const patience = new AbortController();
  const timers: ReturnType<typeof setTimeout>[] = [];
  let isAnswered = false;
  const start = () => {
    if (!isAnswered) timers.push(setTimeout(() => patience.abort(), timeoutMs));
  };
  if (upload === undefined) start();
  else upload.sent.then(start, start);
  const answer = await fetchAnswer(call, signal, anyOf(signal, [...own, patience.signal]));
  isAnswered = true;
  for (const timer of timers) clearTimeout(timer);
  const isLate = patience.signal.aborted && !signal.aborted && !(answer instanceof Response);
  return isLate ? timedOut(timeoutMs) : answer;
}

function anyOf(signal: AbortSignal, more: AbortSignal[]): AbortSignal {
  return more.length === 0 ? signal : AbortSignal.any([signal, ...more]);
}

/** `client`: tells a client that left from a provider that failed. */
async function fetchAnswer(
  { url, method, headers, body, send }: UpstreamCall,
  client: AbortSignal,
  signal: AbortSignal,
): Promise<Response | Problem | "aborted"> {
  // Redirects would take keys to another host; a decoded body could not go down as the bytes that it was.
  const fixed = { redirect: "manual", encodeResponseBody: "manual" } as const;
  try {
    if (send !== undefined) return await send(signal);
    return await fetch(url, { method, headers, body: body as BodyInit | null, signal, ...fixed });
  } catch {
    if (client.aborted) return "aborted";
    return unreachable();
  }
}

export function timedOut(timeoutMs: number | null): Problem {
  return problem("upstream_timeout", `The provider sent no answer within ${(timeoutMs ?? 0) / 1000} s.`);
}

export function unreachable(): Problem {
  return problem("upstream_unreachable", "The connection to the provider failed. Retry shortly.");
}
