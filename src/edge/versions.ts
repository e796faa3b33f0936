// Versions in the isolate's memory: immutable, so they are kept as long as there is room. Read from KV, else from
// Control. What a version without variables says is rendered and encoded once per wire format and reused.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { hasVariables, renderVersion } from "../core/render.ts";
import type { JsonObject, Placement, PromptVersion } from "../core/types.ts";
import type { Pieces, PrepareOptions, WireFormat } from "../wire/wire.ts";
import type { Scope } from "./releases.ts";
import { within } from "./time.ts";

export type LoadedVersion = {
  version: PromptVersion;
  hasVariables: boolean;
  /** By format, provider and kind of endpoint. */
  prepared: Map<string, Pieces>;
};

const WAIT_KV_MS = 1_000;
const WAIT_CONTROL_MS = 2_500;
/** Immutable: as long as KV's edge cache keeps it. */
const KV_CACHE_SECONDS = 86_400;
const MOST_VERSIONS = 500;

const loaded = new Map<string, LoadedVersion>();

export function peekVersion(prompt: string, version: number): LoadedVersion | undefined {
  return loaded.get(`${prompt}:${version}`);
}

export async function loadVersion(
  prompt: string,
  version: number,
  scope: Scope,
): Promise<LoadedVersion | Problem> {
  const known = peekVersion(prompt, version);
  if (known !== undefined) return known;
  const found = (await readStore(prompt, version, scope)) ?? (await readControl(prompt, version, scope));
  if (isProblem(found)) return found;
  const entry = { version: found, hasVariables: hasVariables(found.compiled), prepared: new Map() };
  loaded.set(`${prompt}:${version}`, entry);
  if (loaded.size > MOST_VERSIONS) {
    const oldest = loaded.keys().next().value;
    if (oldest !== undefined) loaded.delete(oldest);
  }
  return entry;
}

async function readStore(prompt: string, version: number, { env }: Scope): Promise<PromptVersion | null> {
  const reading = env.STORE.get(`version:${prompt}:${version}`, { type: "json", cacheTtl: KV_CACHE_SECONDS });
  const found = await within(WAIT_KV_MS, reading).catch(() => null);
  return isVersion(found, version) ? found : null;
}

async function readControl(
  prompt: string,
  version: number,
  { env }: Scope,
): Promise<PromptVersion | Problem> {
  const reading = env.CONTROL.getByName(prompt).readCompiled(version);
  const found = await within(WAIT_CONTROL_MS, reading).catch(() => undefined);
  return (
    found ??
    problem("release_unavailable", `Version ${version} of ${prompt} is out of reach just now. Retry shortly.`)
  );
}

function isVersion(value: unknown, version: number): value is PromptVersion {
  return (
    typeof value === "object" &&
    value !== null &&
    "schema" in value &&
    value.schema === 1 &&
    "version" in value &&
    value.version === version
  );
}

/** The version's pieces for one wire format, variables filled in; null variables: none were sent. `placement` instead of
 * the version's own. */
export function prepareVersion(
  entry: LoadedVersion,
  format: WireFormat,
  variables: JsonObject | null,
  options: PrepareOptions,
  placement: Placement | null = null,
): { prepared: Pieces } | Problem {
  const { provider, count, modelInPath, asksUsage } = options;
  const key = `${format.id}/${provider}/${count}/${modelInPath === true}/${asksUsage === true}/${placement}`;
  const cached = entry.hasVariables ? undefined : entry.prepared.get(key);
  if (cached !== undefined) return { prepared: cached };
  const rendered = renderVersion(entry.version.compiled, variables ?? {});
  if (isProblem(rendered)) return rendered;
  const prepared = format.prepare(placement === null ? rendered : { ...rendered, placement }, options);
  if (!entry.hasVariables) entry.prepared.set(key, prepared);
  return { prepared };
}
