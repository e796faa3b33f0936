// Which vars the local Worker gets, and the file that hands them to wrangler. A file, not `--var`, because arguments
// can be read by every process of the machine. Guarantee: a provider whose key is in `.dev.vars` is the real one;
// every other provider is the stand-in, so that nothing leaves the machine without a key.

import { PROVIDERS, secretVar, upstreamVar } from "../../src/core/providers.ts";
import type { Vars } from "./home.ts";

/** What a stand-in gets in the place of a proxy key, so that keys can be tried without a provider's. */
const STAND_IN_SECRET = "stand-in";

/** Providers that have a key or an upstream of their own in `.dev.vars`. */
export function realProviders(devVars: Vars): string[] {
  return Object.keys(PROVIDERS).filter(
    (name) =>
      devVars[secretVar(name)] ||
      devVars[upstreamVar(name)] ||
      (name === "bedrock" && devVars["AWS_ACCESS_KEY_ID"]),
  );
}

export function workerVars(devVars: Vars, token: string, standInUrl: string): Vars {
  const real = realProviders(devVars);
  const vars: Vars = {};
  for (const name of Object.keys(PROVIDERS)) {
    if (real.includes(name)) continue;
    vars[upstreamVar(name)] = standInUrl;
    vars[secretVar(name)] = STAND_IN_SECRET;
  }
  return { ...vars, ...devVars, ADMIN_TOKEN: token };
}

/** The text of an env file that wrangler reads back as exactly `vars`. wrangler expands `$NAME` in such a file
 * (not in `.dev.vars`), hence the escape. A value that holds all three quotes cannot be written: a thrown Error. */
export function formatEnvFile(vars: Vars): string {
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${quote(name, value.replaceAll("$", "\\$"))}\n`)
    .join("");
}

function quote(name: string, value: string): string {
  const mark = ["'", "`"].find((candidate) => !value.includes(candidate)) ?? '"';
  if (mark === '"' && (value.includes('"') || value.includes("\\"))) {
    throw new Error(`The value of ${name} in .dev.vars mixes quotes in a way that cannot be handed on.`);
  }
  return mark + value + mark;
}
