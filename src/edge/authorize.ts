// The last look at a call before it goes up with a secret of the Worker: is the key still good (an upload may take longer
// than its lease), and the swap. Every attempt goes through here, a retry and a fallback too, as each has a body and a
// time of its own to be signed.

import { isProblem, type Problem } from "../core/problem.ts";
import type { Admission } from "./admit.ts";
import { signCall } from "./aws.ts";
import { collectBody } from "./body.ts";
import { dropCredentials } from "./credentials.ts";
import type { UpstreamCall } from "./forward.ts";
import { recognizeKey } from "./keys.ts";
import type { Scope } from "./releases.ts";

/** The call with the provider's secret in it; its headers are changed in place. */
export async function authorize(
  call: UpstreamCall,
  { hash, secret }: Admission,
  scope: Scope,
): Promise<UpstreamCall | Problem> {
  const key = await recognizeKey(hash, scope);
  if (isProblem(key)) return key;
  dropCredentials(call.headers);
  if (secret.kind === "header") {
    call.headers.set(secret.name, secret.value);
    return call;
  }
  // The signature covers a digest of the body and stands before it.
  const body = await collectBody(call.body, scope.env.MAX_BODY_BYTES);
  return isProblem(body) ? body : signCall({ ...call, body }, secret);
}
