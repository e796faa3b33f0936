// May this request come in at all? Asked before its body is read, so that a refusal costs nothing.

import { problem, type Problem } from "../core/problem.ts";
import type { Call } from "./call.ts";
import { findProxyKey } from "./headers.ts";

/** A key of ours never goes up; keys are minted by a later release of the control plane, so none is known here yet. */
export function admit({ headers, scope, route }: Call): Problem | null {
  if (findProxyKey(headers, route.search) !== null) {
    return problem("unauthenticated", "This proxy key is not known here.");
  }
  if (scope.env.REQUIRE_KEY === "true") {
    return problem("unauthenticated", "This proxy asks for a key of its own (sb_…) in the SDK's API key.");
  }
  return null;
}
