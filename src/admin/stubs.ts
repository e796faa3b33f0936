// Calls to the Durable Objects. A stub that has thrown is broken, so each attempt takes a new one; one retry where the
// platform says that it may help, none where the object is overloaded (a retry would add to the load). Repeating a
// write is safe because every envelope carries an idempotency key. Guarantee: out of reach is 503, not 500; so is an object
// that runs another deployment for a while and does not know what it is asked.

import type { ControlPort } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { NAME_PATTERN } from "../core/types.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";

/** Flags that the runtime puts on errors of stub calls. A deployment resets an object under the calls in flight
 * (`durableObjectReset`); so does running out of memory or of time, which says nothing about this call. */
type StubError = { retryable?: boolean; overloaded?: boolean; durableObjectReset?: boolean };

/** Known by the runtime's words alone: such an error has no flag of its own. The test in workerd notices when they change. */
const UNKNOWN_METHOD = /^The RPC receiver does not implement the method\b/;

/** What the call answers, or `release_unavailable`. Other exceptions thrown by the object itself are bugs and pass. */
export async function callStub<Stub, Answer>(
  getStub: () => Stub,
  call: (stub: Stub) => Promise<Answer>,
  attempts = 2,
): Promise<Answer | Problem> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(getStub());
    } catch (error) {
      if (error instanceof TypeError && UNKNOWN_METHOD.test(error.message)) {
        console.error(JSON.stringify({ event: "unknown_method", error: error.message }));
        return otherDeployment();
      }
      const { retryable = false, overloaded = false, durableObjectReset = false } = error as StubError;
      if (!retryable && !overloaded && !durableObjectReset) throw error;
      if (overloaded || attempt >= attempts) {
        return problem(
          "release_unavailable",
          "The object that holds this state is out of reach. Send it again.",
        );
      }
    }
  }
}

function otherDeployment(): Problem {
  return problem(
    "release_unavailable",
    "A deployment is under way: the object that holds this state runs another one, which does not know this call. Send it again shortly.",
  );
}

/** Calls the Control of a prompt, named by its name or by one of its aliases. The name that answered goes along. */
export async function callControl<Answer>(
  env: Env,
  name: string,
  call: (control: ControlPort, prompt: string) => Promise<Answer | Problem>,
): Promise<Answer | Problem> {
  const ask = (prompt: string) =>
    callStub(
      () => env.CONTROL.getByName(prompt),
      (control) => call(control, prompt),
    );
  const direct = NAME_PATTERN.test(name) ? await ask(name) : promptNotFound(name);
  if (!isProblem(direct) || direct.problem !== "prompt_not_found") return direct;
  const owner = await resolveAlias(env, name);
  if (owner === null || owner === name) return direct;
  return isProblem(owner) ? owner : ask(owner);
}

/** The prompt that an alias belongs to, or null. */
export function resolveAlias(env: Env, alias: string): Promise<string | null | Problem> {
  return callStub(
    () => env.REGISTRY.getByName(REGISTRY_NAME),
    (registry) => registry.resolve(alias),
  );
}

export function promptNotFound(name: string): Problem {
  return problem(
    "prompt_not_found",
    `There is no prompt ${name}. Create it first: PUT /admin/prompts/${name}.`,
    {
      field: "prompt",
    },
  );
}
