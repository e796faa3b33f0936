// The canary shield: which failures before the first byte may be a version's fault, so that the baseline answers instead.
// What says who asked (401), how much (429) or that nobody is there blames no version: the baseline would get the same
// answer. So it would for most of what the asker may not have (403).

import type { Problem } from "../core/problem.ts";
import type { AnswerRules } from "../wire/answer.ts";
import { timedOut, unreachable } from "./forward.ts";
import { readOpening, type Opening } from "./opening.ts";
import type { Ctx } from "./releases.ts";
import type { OpenCall } from "./settle.ts";
import { framingIn, isEncoded } from "./relay.ts";

/** One call to the provider, before a byte of it went down. `open`: it is under way, and counts. */
export type Attempt =
  /** The version could not be put into the request. */
  | { kind: "unsent"; problem: Problem; open?: OpenCall | null }
  | { kind: "failed"; problem: Problem; open: OpenCall | null }
  /** The client left. */
  | { kind: "aborted"; open: OpenCall | null }
  /** Nothing went up: what was decided was no longer in force when the call was ready to go. */
  | { kind: "fenced" }
  /** `opening`: what was read of the body already; null: nothing. */
  | { kind: "answered"; upstream: Response; opening: Opening | null; open: OpenCall | null };

/** Wrong or too much for the model; a model, a tool or a parameter that is not there. Any 5xx besides. */
const BLAMED = new Set([400, 404, 413, 422]);

export function isBlamed(attempt: Attempt): boolean {
  switch (attempt.kind) {
    case "unsent":
      // The shield asks whether the baseline fares better before it blames anybody.
      return true;
    case "failed":
      return attempt.problem.problem === "upstream_timeout";
    case "aborted":
    case "fenced":
      return false;
    case "answered": {
      const { status } = attempt.upstream;
      return attempt.opening?.failed === true || status >= 500 || BLAMED.has(status);
    }
  }
}

/** Looks at the first event of a good stream, which may be an error. */
export async function openStream(
  upstream: Response,
  rules: AnswerRules,
  limits: { signal: AbortSignal; ctx: Ctx; timeoutMs: number | null; startedAtMs: number },
  open: OpenCall | null,
): Promise<Attempt> {
  const { body, headers } = upstream;
  const framing = framingIn(headers, false);
  if (body === null || !upstream.ok || framing === null || isEncoded(headers)) {
    return { kind: "answered", upstream, opening: null, open };
  }
  const { signal, ctx, timeoutMs, startedAtMs } = limits;
  const leftMs = timeoutMs === null ? null : Math.max(0, startedAtMs + timeoutMs - Date.now());
  const reading = readOpening(body, rules, framing, { signal, timeoutMs: leftMs });
  // A client that leaves meanwhile must not take the reading with it: the call would never be counted.
  ctx.waitUntil(reading);
  const opening = await reading;
  if (opening === "silent") return { kind: "failed", problem: timedOut(timeoutMs), open };
  if (opening !== "broken") return { kind: "answered", upstream, opening, open };
  return signal.aborted ? { kind: "aborted", open } : { kind: "failed", problem: unreachable(), open };
}

/** Nobody reads what is left of it, and nobody waits for it to stop. */
export function discard(attempt: Attempt): void {
  if (attempt.kind === "answered") attempt.upstream.body?.cancel().catch(() => {});
}
