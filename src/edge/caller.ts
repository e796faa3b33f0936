// The proxy key that a request to ourselves came with: feedback is given by applications, with the key that they ask
// providers with.

import type { KeyGrant } from "../core/ports.ts";
import { isProblem, type Problem } from "../core/problem.ts";
import { checkRate } from "./admit.ts";
import { findProxyKey } from "./credentials.ts";
import { readHeaders } from "./headers.ts";
import { hashKey, obtainKey, peekKey, unknownKey } from "./keys.ts";
import type { Scope } from "./releases.ts";

/** null: it came without one, perhaps with a token of the control plane. */
export async function readCaller(request: Request, scope: Scope): Promise<KeyGrant | Problem | null> {
  const sent = findProxyKey(readHeaders(request.headers), "");
  if (sent === null || sent.startsWith("sbt_")) return null;
  const hash = await hashKey(sent);
  if (hash === null) return unknownKey();
  const key = peekKey(hash, scope) ?? (await obtainKey(hash, scope));
  if (isProblem(key)) return key;
  return (await checkRate(key, scope.env)) ?? key;
}
