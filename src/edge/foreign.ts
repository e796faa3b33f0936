// Whose credential is this? A key of ours goes up to nobody, wherever it stands; a provider's own goes to that provider
// alone, and to whoever the client asks in that provider's own protocol: an Anthropic SDK that is pointed at DeepSeek's
// `/anthropic` carries DeepSeek's key in Anthropic's header.

import { makerOf } from "../core/providers.ts";

/** Where a request goes: the mount that the client named, and the path behind it. */
export type Target = { provider: string; path: string };

type Owner = { makers: readonly string[]; paths: RegExp | null };

const ANTHROPIC: Owner = {
  makers: ["anthropic"],
  paths: /(?:^|\/)anthropic\/v\d+\/|(?:^|\/)v\d+\/messages(?:\/|$)/,
};
const GOOGLE: Owner = {
  makers: ["gemini", "vertex"],
  paths: /\/(?:models|tunedModels|endpoints)\/[^/]+(?::|%3a)[a-z]/i,
};
const AZURE: Owner = { makers: ["azure"], paths: /\/openai\/deployments\// };
const AWS: Owner = { makers: ["bedrock"], paths: /\/model\/.+\/(?:converse|invoke|count-tokens)/ };
const CLOUDFLARE: Owner = { makers: ["workers-ai"], paths: null };

/** `authorization` is everybody's (OAuth at Anthropic and Google, and wherever OpenAI's protocol is spoken), unless it is an
 * AWS signature. */
const OWNERS: ReadonlyMap<string, Owner> = new Map([
  ["x-api-key", ANTHROPIC],
  ["x-goog-api-key", GOOGLE],
  ["api-key", AZURE],
  ["x-amz-security-token", AWS],
  ["x-auth-key", CLOUDFLARE],
]);

/** They speak no protocol but their own and OpenAI's: another's SDK that comes here is at the wrong door, with a key that is
 * not for them. */
const OWN_KEYS_ONLY = ["openai", "anthropic", "gemini"];

const AWS_SIGNATURE = /^AWS4-[A-Z0-9-]+ /;

export function isSignature(authorization: string): boolean {
  return AWS_SIGNATURE.test(authorization);
}

/** Is this header a credential that is not for this provider? */
export function isForeign(name: string, value: string, target: Target): boolean {
  if (value.includes("sb") && OURS.test(value)) return true;
  const owner = name === "authorization" && isSignature(value) ? AWS : OWNERS.get(name);
  return owner !== undefined && !isFor(owner, target);
}

function isFor({ makers, paths }: Owner, { provider, path }: Target): boolean {
  const maker = makerOf(provider);
  if (makers.includes(maker)) return true;
  return paths !== null && !OWN_KEYS_ONLY.includes(maker) && paths.test(path);
}

/** A proxy key or a token of the control plane, among whatever else: behind nothing that could make it the inside of
 * somebody's base64. */
const OURS = /(?:^|[\s,;:="'(])sbt?_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/;
const OURS_IN_QUERY = /^(?:api-)?key=sbt?_|=sbt?_[A-Za-z0-9_-]{43}$/;
/** Google's API keys, by their two forms; a parameter called `key` may be anything else. */
const GOOGLE_IN_QUERY = /^key=(?:AIza|AQ\.)/;

/** As it is where it is no percent-encoding. */
export function decodePercents(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The query without a key of ours and without a Google key that is not for this provider, the rest of it as it was.
 * `isReplaced`: the client's own credential does not go up, as a secret of the Worker does. */
export function cleanSearch(search: string, target: Target, isReplaced: boolean): string {
  if (!search.includes("key=") && !search.includes("=sb")) return search;
  const dropsGoogle = isReplaced || !isFor(GOOGLE, target);
  const parts = search.slice(1).split("&");
  const rest = parts.filter((part) => {
    const plain = decodePercents(part);
    return !OURS_IN_QUERY.test(plain) && !(dropsGoogle && GOOGLE_IN_QUERY.test(plain));
  });
  if (rest.length === parts.length) return search;
  return rest.length === 0 ? "" : `?${rest.join("&")}`;
}
