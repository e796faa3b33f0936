// Who may give feedback: a proxy key, as the edge has checked it, or a token of any role; from whatever page a browser shows.
// That is safe, because no browser sends either by itself as it does cookies, and the answer holds no secret. A key in a
// page is there for everybody to read and to use within its scope: hence keys for feedback alone (core/key-scope.ts).

import type { KeyGrant } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Actor } from "../core/types.ts";
import type { Env } from "../env.ts";
import { authenticate } from "./auth.ts";

/** What the entry lends to a request: `key` is the proxy key that it came with, as far as it is good. */
export type Lent = { env: Env; key: KeyGrant | Problem | null };

export type Caller = { actor: Actor; key: KeyGrant | null };

export async function admitKeyOrToken(request: Request, { env, key }: Lent): Promise<Caller | Problem> {
  if (key !== null) return isProblem(key) ? key : { actor: { name: key.name, role: "viewer" }, key };
  const actor = await authenticate(request, env);
  if (!isProblem(actor)) return { actor, key: null };
  return actor.problem !== "unauthenticated" || request.headers.has("authorization")
    ? actor
    : asksForEither();
}

function asksForEither(): Problem {
  return problem(
    "unauthenticated",
    "Send a proxy key (sb_…) or a token of the control plane: Authorization: Bearer <key>.",
    { field: "Authorization" },
  );
}

const DAY_SECONDS = "86400";

/** For the answer to whatever comes from a page of anybody's, refusals too. */
export function openToPages(answer: Response): Response {
  answer.headers.set("access-control-allow-origin", "*");
  answer.headers.set("access-control-expose-headers", "retry-after");
  return answer;
}

/** What browsers ask first. `*`: headers for tracing, which scripts of a page add to its requests; `authorization` it does not
 * stand for. */
export function answerPreflight(): Response {
  const headers = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type, x-api-key, x-goog-api-key, api-key, *",
    "access-control-max-age": DAY_SECONDS,
  };
  return openToPages(new Response(null, { status: 204, headers }));
}
