// The call to the provider. The client's leaving ends the provider's work.

import { problem, type Problem } from "../core/problem.ts";
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
