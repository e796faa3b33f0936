// Which providers there are, and how the vars and secrets of one are called. The edge finds hosts by it, the control
// plane says by it what is configured, `npm start` replaces by it what has no key.

/** Origin with path prefix, so that `/v1/…` follows it. null: needs `UPSTREAM_<PROVIDER>`, as the host is the
 * customer's own (Azure resource, Bedrock region). */
export const PROVIDERS: Readonly<Record<string, string | null>> = {
  openai: "https://api.openai.com",
  anthropic: "https://api.anthropic.com",
  gemini: "https://generativelanguage.googleapis.com",
  azure: null,
  bedrock: null,
  "workers-ai": "https://api.cloudflare.com/client/v4",
  openrouter: "https://openrouter.ai/api",
  groq: "https://api.groq.com/openai",
  mistral: "https://api.mistral.ai",
  deepseek: "https://api.deepseek.com",
  xai: "https://api.x.ai",
  together: "https://api.together.xyz",
  fireworks: "https://api.fireworks.ai/inference",
};

export const PROVIDER_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Providers whose chat streams are asked to report usage where the caller does not say whether they should: those in
 * STREAM_USAGE (`"openai, groq"`), unless nobody would read it. */
export function usageProviders(vars: {
  STREAM_USAGE?: string | undefined;
  METERING?: string | undefined;
}): string[] {
  if (vars.STREAM_USAGE === undefined || vars.METERING === "off") return [];
  const names = vars.STREAM_USAGE.split(",").map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== "");
}

/** Providers whose APIs have ways of their own. */
const MAKERS = ["anthropic", "azure", "bedrock", "gemini", "workers-ai"];

/** Whose API a provider speaks: `azure-eu`, which `UPSTREAM_AZURE_EU` adds, is another of Azure's hosts. */
export function makerOf(provider: string): string {
  return MAKERS.find((maker) => provider === maker || provider.startsWith(`${maker}-`)) ?? provider;
}

/** `workers-ai` → `UPSTREAM_WORKERS_AI`. */
export function upstreamVar(provider: string): `UPSTREAM_${string}` {
  return `UPSTREAM_${inCapitals(provider)}`;
}

/** `workers-ai` → `WORKERS_AI_API_KEY`: the secret that stands in for a proxy key. */
export function secretVar(provider: string): `${string}_API_KEY` {
  return `${inCapitals(provider)}_API_KEY`;
}

function inCapitals(provider: string): string {
  return provider.toUpperCase().replaceAll("-", "_");
}

/** Where the AWS region stands in the host of a Bedrock endpoint, FIPS and dual-stack ones included. */
const AWS_HOST = /(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:amazonaws\.com|api\.aws)/;

/** The region to sign for: the configured one, else the host's; null: neither says. */
export function awsRegionOf(origin: string, configured: string | undefined): string | null {
  if (configured) return configured;
  return AWS_HOST.exec(origin.replace(/^https?:\/\//, ""))?.[1] ?? null;
}
