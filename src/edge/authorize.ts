// A call gets a secret of the Worker, right before it goes up. Every attempt goes through here, a retry and a fallback too,
// as each has a body and a time of its own to be signed. Nothing is waited for that could outlast a lease: whether the
// key is good has been settled with the decision (decide.ts), or before a request passes through (admit.ts).

import { isProblem, type Problem } from "../core/problem.ts";
import type { Admission } from "./admit.ts";
import { bindCall } from "./ai-binding.ts";
import { signCall } from "./aws.ts";
import { collectBody } from "./body.ts";
import { dropCredentials } from "./credentials.ts";
import type { UpstreamCall } from "./forward.ts";
import type { Scope } from "./releases.ts";

/** The call with the provider's secret in it; its headers are changed in place. */
export async function authorize(
  call: UpstreamCall,
  { secret }: Admission,
  { env }: Scope,
  path: string,
): Promise<UpstreamCall | Problem> {
  dropCredentials(call.headers);
  if (secret.kind === "header") {
    call.headers.set(secret.name, secret.value);
    return call;
  }
  if (secret.kind === "binding") {
    const whole = await collectBody(call.body, env.MAX_BODY_BYTES);
    return isProblem(whole) ? whole : bindCall({ ...call, body: whole }, path, secret.ai);
  }
  // The signature covers a digest of the body and stands before it.
  const body = await collectBody(call.body, env.MAX_BODY_BYTES);
  return isProblem(body) ? body : signCall({ ...call, body }, secret);
}
