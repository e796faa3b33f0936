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
  /** "true": a request without a key of ours is refused. */
  REQUIRE_KEY?: string;
  /** Soft and hard lease in ms (1000 / 2000). */
  LEASE_SOFT_MS?: string;
  LEASE_MS?: string;
  /** How long conversations keep the version they began on after a draining change, in ms (24 h). */
  DRAIN_MS?: string;
  /** Largest body that a prompt is injected into, in bytes (32 MiB). */
  MAX_BODY_BYTES?: string;
  /** Time the provider has to send response headers, in ms; unset: as long as the client waits. */
  FIRST_BYTE_TIMEOUT_MS?: string;
  [upstream: `UPSTREAM_${string}`]: string | undefined;
};

/** The one Registry object. */
export const REGISTRY_NAME = "registry";
