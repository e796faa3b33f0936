// Where an isolate's releases come from: memory under a live lease, else Control, else KV (the baseline only). Every
// grant is a fresh `sync` call, which also carries the isolate's report up. Nothing here is awaited by a request whose
// lease is live; waiting is bounded, and an unreachable Control is asked once per `softMs`, not once per request.

import { isProblem, nameOfError, problem, type Problem } from "../core/problem.ts";
import type { ChainRoot } from "../core/strangers.ts";
import type { Lease, Release } from "../core/types.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import { createChains, type Chains } from "./chains.ts";
import { createConversations, type Conversations } from "./conversations.ts";
import { adopt, adoptCopy, freshnessOf, type Grant } from "./lease.ts";
import { acknowledge, createTallies, hasUnsent, takeReport, type Tallies } from "./tallies.ts";
import { createCallers, takeCallers, type Callers } from "./callers.ts";
import { settleHung, type OpenCall } from "./settle.ts";
import { createJudging, takeGrant, type Judging } from "./judge-draw.ts";
import { judgedUnsent } from "./judge-tally.ts";
import { importSealer, type Sealer } from "./seal.ts";
import { sleep, within } from "./time.ts";

/** One prompt in one environment, as this isolate holds it. Plain data: no I/O object outlives its request. */
export type Entry = {
  prompt: string;
  environment: string;
  /** Names this entry in reports: one isolate's environments count apart. */
  reporter: string;
  grant: Grant | null;
  /** When the newest sync was sent; a refresher that vanished with its request is replaced after `softMs`. */
  syncSentAtMs: number;
  syncing: boolean;
  /** When Control last failed to grant a lease in time; 0 after a success. */
  failedAtMs: number;
  /** When each background reporter started; 0: none is running. One that vanished is replaced in time. */
  flushingSinceMs: number;
  announcingSinceMs: number;
  /** What request ids are signed with; null: Control has not said yet. */
  sealer: Sealer | null;
  judging: Judging;
  tallies: Tallies;
  /** Calls under way, the oldest first. */
  open: Set<OpenCall>;
  callers: Callers;
  conversations: Conversations;
  chains: Chains;
};

export type Ctx = { waitUntil(promise: Promise<unknown>): void };
/** What one request lends to the isolate's memory. */
export type Scope = { env: Env; ctx: Ctx };

/** How long a request waits for Control when it holds a release, and when it holds none (a cold isolate far away). */
const WAIT_WARM_MS = 1_000;
const WAIT_COLD_MS = 2_500;
const WAIT_COPY_MS = 1_000;
const COPY_CACHE_SECONDS = 30;
const DEFAULT_LEASE: Lease = { softMs: 1_000, leaseMs: 2_000 };
/** After a failure nobody waits for Control again for so long: requests get the baseline, probes go on beside them. */
const TROUBLE_MS = 10_000;
/** `waitUntil` is cut off 30 s after the response. */
const FLUSH_FOR_MS = 20_000;
/** Where many isolates report, Control asks for less; a prompt must be seen to fail all the same. */
const LONGEST_PACE_MS = 15_000;
/** First turns of disputed buckets, and responses of chains, are told at once, but not more often than this. */
const ANNOUNCE_EVERY_MS = 50;

export function createEntry(prompt: string, environment: string): Entry {
  return {
    prompt,
    environment,
    reporter: crypto.randomUUID(),
    grant: null,
    syncSentAtMs: 0,
    syncing: false,
    failedAtMs: 0,
    flushingSinceMs: 0,
    announcingSinceMs: 0,
    sealer: null,
    judging: createJudging(),
    tallies: createTallies(),
    open: new Set(),
    callers: createCallers(),
    conversations: createConversations(),
    chains: createChains(),
  };
}

/** The release at hand without waiting, renewing it in the background where due; null: `obtainRelease` must wait. */
export function peekRelease(entry: Entry, scope: Scope): Grant | null {
  const nowMs = Date.now();
  const freshness = freshnessOf(entry.grant, nowMs);
  if (freshness === "fresh") return entry.grant;
  if (freshness === "dead" && !isInTrouble(entry, nowMs)) return null;
  renewInBackground(entry, scope, nowMs);
  return entry.grant;
}

/** Waits for Control within bounds (a late answer is still adopted). Without Control: what is held (its baseline), else
 * KV's copy, else a problem. */
export async function obtainRelease(entry: Entry, scope: Scope): Promise<Grant | Problem> {
  const wait = entry.grant === null ? WAIT_COLD_MS : WAIT_WARM_MS;
  const syncing = sync(entry, scope);
  scope.ctx.waitUntil(syncing);
  const answer = await within(wait, syncing);
  if (isProblem(answer)) return answer;
  if (freshnessOf(entry.grant, Date.now()) === "dead") {
    entry.failedAtMs = Date.now();
    const copy = readCopy(entry, scope);
    // With a release in hand KV may only bring a newer one, so nobody waits for it.
    if (entry.grant === null) await copy;
    else scope.ctx.waitUntil(copy);
  }
  return (
    entry.grant ??
    problem(
      "release_unavailable",
      `The release of ${entry.prompt} (${entry.environment}) is out of reach just now. Retry shortly.`,
    )
  );
}

/** Hands the report over even when no further request comes by: called after every recorded outcome. */
export function scheduleFlush(entry: Entry, scope: Scope): void {
  const nowMs = Date.now();
  if (isRunning(entry.flushingSinceMs, nowMs)) return;
  entry.flushingSinceMs = nowMs;
  scope.ctx.waitUntil(flush(entry, scope, nowMs));
}

async function flush(entry: Entry, scope: Scope, startedAtMs: number): Promise<void> {
  const { softMs } = entry.grant?.lease ?? DEFAULT_LEASE;
  while (hasUnsent(entry.tallies) && Date.now() - startedAtMs < FLUSH_FOR_MS) {
    await sleep(softMs);
    // A request that came by meanwhile has taken the report along.
    const isDue = Date.now() >= entry.tallies.nextReportAtMs && Date.now() - entry.syncSentAtMs >= softMs;
    const isLast = Date.now() - startedAtMs > FLUSH_FOR_MS - softMs;
    if (hasUnsent(entry.tallies) && (isDue || isLast)) await sync(entry, scope, isLast);
  }
  entry.flushingSinceMs = 0;
}

/** Tells Control of first turns in disputed buckets, and of responses that a chain goes on from, without delay: the next
 * turn may arrive at another isolate, though not before the provider has answered this one. */
export function announceBeginnings(entry: Entry, scope: Scope): void {
  const nowMs = Date.now();
  if (isRunning(entry.announcingSinceMs, nowMs)) return;
  entry.announcingSinceMs = nowMs;
  scope.ctx.waitUntil(announce(entry, scope, nowMs));
}

async function announce(entry: Entry, scope: Scope, startedAtMs: number): Promise<void> {
  const { conversations, chains } = entry;
  const isBehind = () => conversations.unreported.length + chains.unreported.length > 0;
  while (isBehind() && Date.now() - startedAtMs < FLUSH_FOR_MS) {
    const sinceMs = Date.now() - entry.syncSentAtMs;
    if (sinceMs < ANNOUNCE_EVERY_MS) await sleep(ANNOUNCE_EVERY_MS - Math.max(0, sinceMs));
    if ((await sync(entry, scope)) !== "ok") await sleep((entry.grant?.lease ?? DEFAULT_LEASE).softMs);
  }
  entry.announcingSinceMs = 0;
}

function isRunning(sinceMs: number, nowMs: number): boolean {
  return sinceMs !== 0 && nowMs - sinceMs < FLUSH_FOR_MS + 5_000;
}

function isInTrouble(entry: Entry, nowMs: number): boolean {
  return entry.grant !== null && nowMs >= entry.failedAtMs && nowMs - entry.failedAtMs < TROUBLE_MS;
}

function renewInBackground(entry: Entry, scope: Scope, nowMs: number): void {
  const softMs = (entry.grant?.lease ?? DEFAULT_LEASE).softMs;
  if (entry.syncing && nowMs - entry.syncSentAtMs < softMs) return;
  scope.ctx.waitUntil(sync(entry, scope));
}

/** One round trip: report up, release down. "failed" when Control is out of reach. */
async function sync(entry: Entry, scope: Scope, isLast = false): Promise<"ok" | "failed" | Problem> {
  const { env } = scope;
  const askedAtMs = Date.now();
  const askedWithRevision = entry.grant?.release.revision ?? 0;
  const began = entry.conversations.unreported;
  entry.conversations.unreported = [];
  const chains = entry.chains.unreported;
  entry.chains.unreported = [];
  entry.syncing = true;
  entry.syncSentAtMs = askedAtMs;
  try {
    const { prompt, environment, reporter } = entry;
    settleHung(entry, scope, askedAtMs);
    const report = takeReport(entry.tallies, isLast ? Infinity : askedAtMs);
    const callers = report === null ? [] : takeCallers(entry.callers);
    const reply = await env.CONTROL.getByName(prompt).sync({
      prompt,
      environment,
      isolate: reporter,
      knownRevision: askedWithRevision,
      report,
      began,
      ...(chains.length > 0 && { chains }),
      ...(callers.length > 0 && { callers }),
    });
    if (isProblem(reply)) return reply;
    acknowledge(entry.tallies, reply.acceptedSequence);
    entry.tallies.nextReportAtMs = askedAtMs + Math.min(reply.reportAfterMs ?? 0, LONGEST_PACE_MS);
    entry.grant = adopt(entry.grant, {
      release: reply.release,
      lease: reply.lease,
      askedAtMs,
      askedWithRevision,
    });
    const { feedbackKey } = reply;
    if (feedbackKey !== undefined && feedbackKey !== entry.sealer?.text) {
      entry.sealer = await importSealer(feedbackKey);
    }
    const nowMs = Date.now();
    takeGrant(entry.judging, reply.judgeAllowance, judgedUnsent(entry.tallies), askedAtMs, nowMs);
    entry.failedAtMs = freshnessOf(entry.grant, nowMs) === "dead" ? nowMs : 0;
    return "ok";
  } catch (error) {
    entry.conversations.unreported.unshift(...began);
    entry.chains.unreported.unshift(...chains);
    if (entry.failedAtMs === 0) {
      console.warn(JSON.stringify({ event: "sync_failed", prompt: entry.prompt, error: nameOfError(error) }));
    }
    entry.failedAtMs = Date.now();
    return "failed";
  } finally {
    entry.syncing = false;
  }
}

async function readCopy(entry: Entry, { env }: Scope): Promise<void> {
  const key = `release:${entry.prompt}:${entry.environment}`;
  try {
    const copy = await within(
      WAIT_COPY_MS,
      env.STORE.get(key, { type: "json", cacheTtl: COPY_CACHE_SECONDS }),
    );
    if (isRelease(copy)) entry.grant = adoptCopy(entry.grant, copy, entry.grant?.lease ?? DEFAULT_LEASE);
  } catch (error) {
    console.warn(JSON.stringify({ event: "kv_failed", key, error: nameOfError(error) }));
  }
}

/** The prompt that an alias stands for, from the Registry, else from KV; null: none. */
export async function resolveAlias(alias: string, { env }: Scope): Promise<string | null> {
  const answer = await within(WAIT_COLD_MS, env.REGISTRY.getByName(REGISTRY_NAME).resolve(alias)).catch(
    () => undefined,
  );
  if (answer !== undefined) return answer;
  const copy = await within(
    WAIT_COPY_MS,
    env.STORE.get(`alias:${alias}`, { type: "json", cacheTtl: COPY_CACHE_SECONDS }),
  ).catch(() => null);
  return typeof copy === "object" && copy !== null && "prompt" in copy ? String(copy.prompt) : null;
}

/** Asks Control which revision a conversation began under; null: before all drains; undefined: out of reach. */
export async function askBegan(
  entry: Entry,
  conversation: string,
  { env }: Scope,
): Promise<number | null | undefined> {
  const asked = env.CONTROL.getByName(entry.prompt).began(entry.environment, conversation);
  return within(WAIT_WARM_MS, asked).catch(() => undefined);
}

/** Asks Control how the chain of a response began; null: nobody was told; undefined: out of reach. */
export async function askChain(
  entry: Entry,
  response: string,
  { env }: Scope,
): Promise<ChainRoot | null | undefined> {
  const asked = env.CONTROL.getByName(entry.prompt).recallChain(entry.environment, response);
  return within(WAIT_WARM_MS, asked).catch(() => undefined);
}

/** KV holds what our own Control wrote; a schema from a later deployment is left alone. */
function isRelease(value: unknown): value is Release {
  return (
    typeof value === "object" &&
    value !== null &&
    "schema" in value &&
    value.schema === 1 &&
    "baseline" in value
  );
}
