// The isolate's memory of proxy keys, by their SHA-256: no key is kept, and none is compared but through its digest. What
// the Registry said of a key holds under a lease dated by when it was asked, so that a revocation is in force everywhere
// within the lease. All keys in use are asked about in one call a second, since one object takes some 1,000 a second.
//
// When the Registry is out of reach, a key that it confirmed within KEY_GRACE_MS goes on working. The trade: a key
// that is revoked during such an outage is taken until the grace is over by isolates that had confirmed it. The other
// way round every application would stand still because one object does; "0" chooses that.

import { configuredLease, wholeMs } from "../core/lease.ts";
import { MOST_KEYS_A_CHECK, type KeyGrant } from "../core/ports.ts";
import { nameOfError, problem, type Problem } from "../core/problem.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import { hexOf } from "./hex.ts";
import type { Scope } from "./releases.ts";
import { sleep, within } from "./time.ts";

type Confirmed = { grant: KeyGrant; askedAtMs: number; usedAtMs: number };

const KEY = /^sb_[A-Za-z0-9_-]{43}$/;

/** How long a request waits for the Registry when the key is within its grace, and when it is not. */
const WAIT_WARM_MS = 1_000;
const WAIT_COLD_MS = 2_500;
/** Between two looks of who waits for a call under way, and between two calls: however many unknown keys come in, an
 * isolate makes no more than 50 calls a second. */
const LOOK_EVERY_MS = 10;
const ASK_EVERY_MS = 20;
/** A call that has not come back by then has gone with its request. */
const VANISHED_MS = 1_500;
/** After a failure nobody within the grace waits again for so long; probes go on beside the requests. */
const TROUBLE_MS = 10_000;
const DEFAULT_GRACE_MS = 600_000;
/** A refusal lasts (no revocation ends); forgotten all the same, so that a mistake of the control plane heals. */
const REFUSED_MS = 30_000;
/** A key confirmed that long ago is a stranger again. */
const REMEMBERED_MS = 3_600_000;
const MOST_CONFIRMED = 10_000;
const MOST_REFUSED = 5_000;

const confirmed = new Map<string, Confirmed>();
/** hash → when it was asked about. Apart from the good ones: garbage must not push those out. */
const refused = new Map<string, number>();
/** Hashes that requests are waiting for. */
const awaited = new Set<string>();
let askedAtMs = 0;
/** 0: no call is under way. */
let askingSinceMs = 0;
let failedAtMs = 0;

/** The digest that a key is known by; null: no key of ours has this form. */
export async function hashKey(key: string): Promise<string | null> {
  if (!KEY.test(key)) return null;
  return hexOf(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
}

/** What the key may do as far as is remembered, asked anew beside the request where due: enough to go on with, while it
 * is `peekKey` that opens the provider. null: nothing is remembered. */
export function recallKey(hash: string, scope: Scope): KeyGrant | Problem | null {
  const nowMs = Date.now();
  if (isRefused(hash, nowMs)) return unknownKey();
  const held = confirmed.get(hash);
  if (held === undefined || ageOf(held, nowMs) >= REMEMBERED_MS) return null;
  if (hasExpired(held.grant, nowMs)) return unknownKey();
  held.usedAtMs = nowMs;
  const { softMs } = configuredLease(scope.env);
  // Half of it between two: keys that are used now and then must not each make a call of their own.
  if (ageOf(held, nowMs) >= softMs && isDue(nowMs, softMs / 2)) scope.ctx.waitUntil(ask(scope));
  return held.grant;
}

/** What the key may do for certain, without waiting; null: the Registry must be waited for. */
export function peekKey(hash: string, scope: Scope): KeyGrant | Problem | null {
  const known = recallKey(hash, scope);
  const held = confirmed.get(hash);
  if (known === null || held === undefined) return known;
  const nowMs = Date.now();
  if (ageOf(held, nowMs) < configuredLease(scope.env).leaseMs) return known;
  return isInTrouble(nowMs) && isWithinGrace(held, scope.env, nowMs) ? known : null;
}

/** Asks, or waits for the call that another request has made, within bounds: `unauthenticated` where the key opens
 * nothing, `release_unavailable` where nobody can say. */
export async function obtainKey(hash: string, scope: Scope): Promise<KeyGrant | Problem> {
  const startedAtMs = Date.now();
  const held = confirmed.get(hash);
  const graceful = held !== undefined && isWithinGrace(held, scope.env, startedAtMs);
  const deadlineMs = startedAtMs + (graceful ? WAIT_WARM_MS : WAIT_COLD_MS);
  for (let nowMs = startedAtMs; nowMs < deadlineMs && failedAtMs < startedAtMs; nowMs = Date.now()) {
    awaited.add(hash);
    if (isDue(nowMs, ASK_EVERY_MS)) {
      const asking = ask(scope);
      scope.ctx.waitUntil(asking);
      await within(deadlineMs - nowMs, asking);
    } else {
      await sleep(LOOK_EVERY_MS);
    }
    const known = peekKey(hash, scope);
    if (known !== null) return known;
  }
  awaited.delete(hash);
  // A call that has come back since has only had no room for this key.
  if (askingSinceMs !== 0) failedAtMs = Math.max(failedAtMs, Date.now());
  return (
    peekKey(hash, scope) ??
    problem("release_unavailable", "This key cannot be checked just now. Retry shortly.")
  );
}

/** How long ago the key was asked about; a clock that went backwards proves nothing, hence for ever. */
function ageOf(held: Confirmed, nowMs: number): number {
  const ageMs = nowMs - held.askedAtMs;
  return ageMs < 0 ? Infinity : ageMs;
}

function isRefused(hash: string, nowMs: number): boolean {
  const refusedAtMs = refused.get(hash);
  return refusedAtMs !== undefined && nowMs - refusedAtMs < REFUSED_MS;
}

function isDue(nowMs: number, everyMs: number): boolean {
  const isUnderWay = askingSinceMs !== 0 && nowMs - askingSinceMs < VANISHED_MS;
  return !isUnderWay && nowMs - askedAtMs >= everyMs;
}

/** One call for every key that is waited for or was used since it was last asked about. Never rejects. */
async function ask({ env }: Scope): Promise<void> {
  const sentAtMs = Date.now();
  askedAtMs = sentAtMs;
  askingSinceMs = sentAtMs;
  const hashes = collectHashes();
  try {
    const grants = await env.REGISTRY.getByName(REGISTRY_NAME).checkKeys(hashes);
    for (const [index, hash] of hashes.entries()) keepAnswer(hash, grants[index] ?? null, sentAtMs);
    failedAtMs = 0;
  } catch (error) {
    if (failedAtMs === 0) {
      console.warn(JSON.stringify({ event: "key_check_failed", error: nameOfError(error) }));
    }
    failedAtMs = Date.now();
  } finally {
    // A later call may have taken over from one that was thought lost.
    if (askingSinceMs === sentAtMs) askingSinceMs = 0;
  }
}

/** Known keys first, those asked about longest ago before the others: no flood of garbage keeps a revocation waiting. */
function collectHashes(): string[] {
  const used = [...confirmed].filter(([hash, held]) => held.usedAtMs > held.askedAtMs || awaited.has(hash));
  const known = used.map(([hash]) => hash);
  const strangers = [...awaited].filter((hash) => !confirmed.has(hash));
  return [...known, ...strangers].slice(0, MOST_KEYS_A_CHECK);
}

/** An answer that was overtaken by a later question changes nothing. */
function keepAnswer(hash: string, grant: KeyGrant | null, sentAtMs: number): void {
  awaited.delete(hash);
  const held = confirmed.get(hash);
  if (grant === null) {
    confirmed.delete(hash);
    put(refused, hash, Math.max(sentAtMs, refused.get(hash) ?? 0), MOST_REFUSED);
    return;
  }
  if (sentAtMs < (refused.get(hash) ?? 0) || sentAtMs < (held?.askedAtMs ?? 0)) return;
  put(confirmed, hash, { grant, askedAtMs: sentAtMs, usedAtMs: held?.usedAtMs ?? sentAtMs }, MOST_CONFIRMED);
}

function isInTrouble(nowMs: number): boolean {
  return nowMs >= failedAtMs && nowMs - failedAtMs < TROUBLE_MS;
}

function isWithinGrace(held: Confirmed, env: Env, nowMs: number): boolean {
  return ageOf(held, nowMs) < (wholeMs(env.KEY_GRACE_MS) ?? DEFAULT_GRACE_MS);
}

function hasExpired({ expiresAt }: KeyGrant, nowMs: number): boolean {
  return expiresAt !== null && !(Date.parse(expiresAt) > nowMs);
}

export function unknownKey(): Problem {
  return problem("unauthenticated", "This proxy key is unknown, has expired or was revoked.");
}

function put<Value>(memory: Map<string, Value>, key: string, value: Value, most: number): void {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size <= most) return;
  const oldest = memory.keys().next().value;
  if (oldest !== undefined) memory.delete(oldest);
}
