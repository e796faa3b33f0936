// What has to be decided about one turn or session, from all that its URL, headers and body say.

import { isProblem, type Problem } from "../core/problem.ts";
import { usageProviders } from "../core/providers.ts";
import type { Endpoint, Scan } from "../wire/wire.ts";
import type { Call } from "./call.ts";
import { recognizeAgent } from "./clients.ts";
import type { Question } from "./decide.ts";
import { checkReference, environmentOf, pinOf, variablesOf } from "./naming.ts";

export function questionOf(call: Call, endpoint: Endpoint, scan: Scan, name: string): Question | Problem {
  const { headers, route, admission } = call;
  const environment = environmentOf(route, headers);
  const pin = pinOf(headers, scan);
  const variables = variablesOf(headers, scan);
  const wrongName = checkReference(name);
  if (wrongName !== null) return wrongName;
  if (isProblem(environment)) return environment;
  if (isProblem(pin)) return pin;
  if (isProblem(variables)) return variables;
  const { provider, path } = route;
  const { values } = variables;
  const agent = recognizeAgent(headers, scan);
  const said = { name, environment, pin, variables: values, headers, scan, agent };
  const asksUsage = usageProviders(call.scope.env).includes(provider);
  return { ...said, endpoint, provider, path, admission, asksUsage };
}
