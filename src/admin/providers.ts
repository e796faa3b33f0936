// What is configured of each provider, and what is wrong with it, said before the first request finds out. Guarantee:
// secrets are looked at only for whether they are there.

import { findNearMiss } from "../core/content-problems.ts";
import { problem, type Problem } from "../core/problem.ts";
import {
  awsRegionOf,
  makerOf,
  PROVIDERS,
  secretVar,
  upstreamVar,
  usageProviders,
} from "../core/providers.ts";
import type { Env } from "../env.ts";
import type { ProviderView } from "./schemas.ts";

type Finding = ProviderView["problems"][number];

const UPSTREAM = /^UPSTREAM_([A-Z0-9][A-Z0-9_]{0,62})$/;

/** Hosts that are the customer's own, and how they are written. */
const OWN_HOSTS: { [provider: string]: string } = {
  azure: "https://RESOURCE.openai.azure.com",
  bedrock: "https://bedrock-runtime.REGION.amazonaws.com",
};

/** What is named where a provider has to be, and is none. `field`: where. */
export function checkProviders(names: readonly string[], env: Env, field: string): Problem | null {
  const missing = names.find((name) => !Object.hasOwn(PROVIDERS, name) && !env[upstreamVar(name)]);
  if (missing === undefined) return null;
  const nearest = findNearMiss(missing, Object.keys(PROVIDERS));
  const guess = nearest === null ? "" : ` Did you mean ${nearest}?`;
  const detail = `There is no provider "${missing}".${guess} GET /admin/providers lists all; ${upstreamVar(missing)} would add it.`;
  return problem("provider_not_found", detail, { field });
}

/** The built-in ones, then those that `UPSTREAM_…` adds, by name; and last what a var takes for one and is none. */
export function describeProviders(env: Env): ProviderView[] {
  const known = Object.keys(PROVIDERS);
  const configured = Object.keys(env).flatMap((name) => UPSTREAM.exec(name)?.[1] ?? []);
  const added = configured
    .map((name) => name.toLowerCase().replaceAll("_", "-"))
    .filter((name) => !known.includes(name));
  const names = [...known, ...added.toSorted()];
  const asked = usageProviders(env);
  const views = names.map((name) => {
    const view = describeProvider(name, env);
    const asksUsage = asked.includes(name) && view.origin !== null;
    return asksUsage ? { ...view, can: [...view.can, "stream-usage" as const] } : view;
  });
  const strangers = [...new Set(asked)].filter((name) => !names.includes(name));
  return [...views, ...strangers.map((name) => describeStranger(name, names))];
}

function describeStranger(name: string, names: string[]): ProviderView {
  const nearest = findNearMiss(name, names);
  const guess = nearest === null ? "" : `Did you mean ${nearest}? `;
  const finding = {
    message: "STREAM_USAGE names it, and there is no such provider.",
    mend: `${guess}Names are separated by commas; ${upstreamVar(name)} would add it.`,
  };
  return { name, origin: null, secret: null, can: [], problems: [finding] };
}

function describeProvider(name: string, env: Env): ProviderView {
  const configured = env[upstreamVar(name)];
  const origin = configured || PROVIDERS[name] || null;
  const wrong = configured ? checkUpstream(upstreamVar(name), configured) : [];
  const secret = env[secretVar(name)] ? secretVar(name) : null;
  if (origin === null) return { name, origin, secret, can: [], problems: [missingHost(name)] };
  const can: ProviderView["can"] = ["pass-through", "prompts"];
  if (secret !== null) return { name, origin, secret, can: [...can, "proxy-keys"], problems: wrong };
  // The binding needs no secret, only a key of ours.
  if (name === "workers-ai" && env.AI !== undefined && !configured) can.push("proxy-keys");
  if (makerOf(name) !== "bedrock") return { name, origin, secret, can, problems: wrong };
  const unsignable = checkSigning(origin, env);
  if (unsignable.length > 0) return { name, origin, secret, can, problems: [...wrong, ...unsignable] };
  return {
    name,
    origin,
    secret: "AWS_SECRET_ACCESS_KEY",
    can: [...can, "proxy-keys", "signing"],
    problems: wrong,
  };
}

function missingHost(name: string): Finding {
  const example = OWN_HOSTS[name] ?? "its origin";
  return {
    message: "It has no host: it is the customer's own.",
    mend: `Set the var ${upstreamVar(name)} to ${example}.`,
  };
}

function checkUpstream(name: string, value: string): Finding[] {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return [{ message: `${name} is no URL.`, mend: "Set it to an origin such as https://llm.example.com." }];
  }
  const found: Finding[] = [];
  if (url.protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) {
    found.push({ message: `${name} sends keys and prompts in the clear.`, mend: "Use https." });
  }
  if (url.search !== "" || url.hash !== "" || url.username !== "") {
    found.push({
      message: `${name} has more than an origin and a path.`,
      mend: "Take out user, query and fragment; a credential belongs in a secret.",
    });
  }
  if (/\/v\d+\w*\/*$/.test(url.pathname)) {
    found.push({
      message: `${name} ends with a version (${url.pathname}), which the SDK's base URL brings along.`,
      mend: "Leave it out: …/openai/v1 of an SDK already ends with it.",
    });
  }
  return found;
}

/** Why requests to Bedrock cannot be signed; a client's own Bedrock API key passes all the same. */
function checkSigning(origin: string, env: Env): Finding[] {
  const found: Finding[] = [];
  const missing = (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const).filter((name) => !env[name]);
  if (missing.length > 0) {
    found.push({
      message: "Requests with a proxy key cannot be signed.",
      mend: `npx wrangler secret put ${missing.join(", then ")}; or, instead of both, BEDROCK_API_KEY (a Bedrock API key).`,
    });
  }
  if (awsRegionOf(origin, env.AWS_REGION) === null) {
    found.push({
      message: "The host names no AWS region to sign for.",
      mend: "Set the var AWS_REGION, as in us-east-1.",
    });
  }
  return found;
}
