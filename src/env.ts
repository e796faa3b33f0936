// Bindings and vars of the Worker. The only place where an upstream host can be named is here: `UPSTREAM_<PROVIDER>`.

import type { ControlPort, RegistryPort } from "./core/ports.ts";

/** A namespace whose stubs speak `Port`; only what we call of it. */
export type ObjectNamespace<Port> = { getByName(name: string): Port };

/** What the edge uses of a KV namespace. */
export type Store = {
  get(key: string, options: { type: "json"; cacheTtl: number }): Promise<unknown>;
  put(key: string, value: string): Promise<void>;
};

export type Env = {
  STORE: Store;
  CONTROL: ObjectNamespace<ControlPort>;
  REGISTRY: ObjectNamespace<RegistryPort>;
  /** First admin token; the control plane is closed without it. */
  ADMIN_TOKEN?: string;
  /** "true", or anything but a plain no: a request without a key of ours is refused. */
  REQUIRE_KEY?: string;
  /** Soft and hard lease in ms (1000 / 2000). */
  LEASE_SOFT_MS?: string;
  LEASE_MS?: string;
  /** How long conversations keep the version they began on after a draining change, in ms (24 h). */
  DRAIN_MS?: string;
  /** Largest body that a prompt is injected into, in bytes (32 MiB). */
  MAX_BODY_BYTES?: string;
  /** "native": behind its beginning a large body that can be decided by it goes up unseen. What a caller says behind the
   * messages (`prompt`, `prompt_variables`, `messages` once more) then reaches the provider as it is. */
  LARGE_BODIES?: string;
  /** Time the provider has to send response headers, and where arms are compared the first event of a stream, in ms; unset:
   * as long as the client waits. */
  FIRST_BYTE_TIMEOUT_MS?: string;
  /** How long a stream may be silent before it is broken off, in ms; unset: for ever. Costs about 35 µs a chunk. */
  STREAM_IDLE_TIMEOUT_MS?: string;
  /** "off": answers are not looked at, so tokens, cost, finish and times to the first token are unknown; errors by status,
   * times and counts remain. */
  METERING?: string;
  /** Providers, by comma, whose chat streams are asked to report usage where the caller has not said whether they should;
   * the chunk that brings it is taken out again. Unset: none. Costs about 35 µs a chunk. */
  STREAM_USAGE?: string;
  /** A call under way for longer counts as one that was never answered, in ms (600000). */
  HUNG_AFTER_MS?: string;
  /** How long a proxy key that was confirmed goes on working while the Registry is out of reach, in ms (600000); "0":
   * not at all. */
  KEY_GRACE_MS?: string;
  /** What Bedrock requests are signed with, unless BEDROCK_API_KEY is set. The region is that of the host unless given. */
  AWS_ACCESS_KEY_ID?: string;
  AWS_SECRET_ACCESS_KEY?: string;
  AWS_SESSION_TOKEN?: string;
  AWS_REGION?: string;
  /** Which requests get a line in the log: "all", "errors" (the default), "off", or a share of the good ones ("0.01")
   * beside all errors. */
  LOG_REQUESTS?: string;
  /** One point a request in Workers Analytics Engine, where it is bound. */
  ANALYTICS?: AnalyticsDataset;
  /** Workers AI of the Worker's own account: `[ai] binding = "AI"` in wrangler.toml. */
  AI?: AiBinding;
  /** A provider's secret, put in the place of a valid proxy key and used for nothing else. */
  [secret: `${string}_API_KEY`]: string | undefined;
  [upstream: `UPSTREAM_${string}`]: string | undefined;
  /** A limit in requests per minute that proxy keys can be minted with: `RATE_LIMIT_60`. */
  [limit: `RATE_LIMIT_${number}`]: RateLimiter | undefined;
};

/** What we use of Workers AI's binding. */
export type AiBinding = {
  run(
    model: string,
    inputs: object,
    options: { returnRawResponse: true; signal: AbortSignal },
  ): Promise<Response>;
};

/** What we use of Workers Analytics Engine. */
export type AnalyticsDataset = {
  writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void;
};

/** What we use of the platform's rate limiter. */
export type RateLimiter = { limit(options: { key: string }): Promise<{ success: boolean }> };

/** 60 → `RATE_LIMIT_60`. */
export function limitVar(requestsPerMinute: number): `RATE_LIMIT_${number}` {
  return `RATE_LIMIT_${requestsPerMinute}`;
}

/** The limits that this deployment has, ascending. */
export function requestLimits(env: Env): number[] {
  const found = Object.keys(env).map((name) => /^RATE_LIMIT_([1-9]\d{0,8})$/.exec(name)?.[1]);
  return found
    .filter((limit) => limit !== undefined)
    .map(Number)
    .toSorted((one, other) => one - other);
}

/** The one Registry object. */
export const REGISTRY_NAME = "registry";
