// Release → assignment → text → body, in rounds: whatever had to be waited for (the release, a version's content, when
// a conversation began) makes the decision start again, so that the round that decides awaits nothing and its lease
// is looked at right before the upstream call (guarantee 1).

import { assign, assignFallback, isAmbiguous } from "../core/assign.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Assignment, JsonObject, Release } from "../core/types.ts";
import { replaceModel } from "../wire/model-path.ts";
import type { Endpoint, Pieces, Scan } from "../wire/wire.ts";
import { checkPrompted, type Admission } from "./admit.ts";
import { linkOf, noteOf, rememberChain, type ChainNote, type Link } from "./chains.ts";
import type { Agent } from "./clients.ts";
import { describeCall } from "./call-traits.ts";
import { begin, recall, remember } from "./conversations.ts";
import { findEntry, forgetEntry, knownPrompt, lookUpAlias } from "./entries.ts";
import { checkPrompt } from "../core/key-scope.ts";
import type { Upload } from "./forward.ts";
import { freshnessOf, type Grant } from "./lease.ts";
import { checkModelInPath, unitKeyOf, type Reader, type UnitKey } from "./naming.ts";
import { PIECES_FROM_BYTES, type Pieces as BodyPieces } from "./pieces.ts";
import {
  announceBeginnings,
  askBegan,
  askChain,
  obtainRelease,
  peekRelease,
  type Entry,
  type Scope,
} from "./releases.ts";
import type { Account } from "./respond.ts";
import type { SealedAs } from "./seal.ts";
import type { CallTraits } from "./settle.ts";
import { loadVersion, peekVersion, prepareVersion, type LoadedVersion } from "./versions.ts";

export type Question = {
  name: string;
  environment: string;
  pin: number | null;
  variables: JsonObject | null;
  headers: Reader;
  scan: Scan;
  endpoint: Endpoint;
  provider: string;
  /** The upstream path, without the query. */
  path: string;
  /** The coding agent that asks; null: another client. */
  agent: Agent | null;
  /** The proxy key that it came with; null: none. */
  admission: Admission | null;
  /** Usage of a stream is asked for where the caller leaves it open. */
  asksUsage: boolean;
  /** The body has been read in part. Nothing is noted of such a question: what is still to come may be an answer of the
   * assistant's, and a conversation would be taken to begin where it goes on. */
  isCut?: true;
};

/** What goes to the provider: the caller's path and body with the version in them. */
export type Injected = {
  path: string;
  body: Uint8Array | ReadableStream | BodyPieces;
  /** Of a body that is still being read. */
  upload?: Upload;
};

/** `injected` is a problem where the version could not be put into this request: that counts against the version. */
export type Decision = {
  entry: Entry;
  injected: Injected | Problem;
  /** What the chain's next turn has to find under the id of this answer; null: nothing. */
  chain: ChainNote | null;
  /** The answer is asked for as a stream. */
  streams: boolean;
  /** Its usage is asked for, but not by the caller, who must not see the chunk that says it. */
  hidesUsage: boolean;
  /** Arms are compared, so the first event of a stream is looked at in each: an error there is the provider's as often as
   * the version's, and must not count against the canary alone. */
  isCompared: boolean;
  /** What a call is counted by; to be asked for while the call is under way. */
  describe(assignment: Assignment): CallTraits;
  /** The same request for the baseline, should the canary fail; null: it is no canary's, the prompt has its shield off, or
   * the body is not kept. */
  fallback: (() => Promise<Fallback | null>) | null;
};

/** A coding agent asks, and gets no prompt, as the prompt's settings say. */
export type Skipped = { skipped: Agent };

export type Fallback = { assignment: Assignment; injected: Injected };

/** What only Control knows: when a conversation began, or how the chain of a response did. */
type Needs = { needs: "began"; conversation: string } | { needs: "chain"; response: string };

/** A cold request waits for an alias, a release, a key, a conversation and two versions: a round each, and two to spare. */
const MOST_ROUNDS = 8;

/** Fills in `account` as things become known, so that a refusal explains itself too. */
export async function decideBody(
  question: Question,
  account: Account,
  scope: Scope,
): Promise<Decision | Skipped | Problem> {
  const { admission, environment, agent } = question;
  let entry = findEntry(knownPrompt(question.name), environment);
  let unservable: number | null = null;
  let unheard = false;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const grant = peekRelease(entry, scope) ?? (await obtainRelease(entry, scope));
    if (isProblem(grant)) {
      const renamed =
        grant.problem === "prompt_not_found" ? await followAlias(entry, question.name, scope) : null;
      // A key learns nothing of names beyond its scope, not even that nobody has them.
      if (renamed === null) return checkPrompt(admission?.key ?? null, question.name, environment) ?? grant;
      entry = findEntry(renamed, environment);
      continue;
    }
    account.prompt = entry.prompt;
    const refused = checkPrompted(admission, entry.prompt, environment, scope);
    if (isProblem(refused)) return refused;
    if (refused !== null) {
      const late = await refused;
      if (late !== null) return late;
      continue;
    }
    const { release } = grant;
    if (agent !== null && release.agents === "off") return { skipped: agent };
    const { requestId } = account;
    const unit = unitKeyOf(release.unit, question.headers, question.scan, { requestId, agent });
    const link = linkOf(entry.chains, unit, question.scan, release, Date.now());
    const assignment = decideArm(question, entry, grant, { ...unit, link }, unheard);
    if (isProblem(assignment)) return assignment;
    if ("needs" in assignment) {
      unheard = !(await askControl(entry, assignment, scope)) || unheard;
      continue;
    }
    const stranded: boolean = unservable === assignment.version;
    const served: Assignment = (stranded ? assignFallback(release, assignment) : null) ?? assignment;
    account.assignment = served;
    account.sealedAs = sealedAs(entry, question);
    account.assignedVersion = served === assignment ? null : assignment.version;
    const loaded = peekVersion(entry.prompt, served.version);
    if (loaded === undefined) {
      const missing = await loadVersion(entry.prompt, served.version, scope);
      if (!isProblem(missing)) continue;
      const isLast = stranded || served.version === release.baseline;
      if (missing.problem !== "release_unavailable" || isLast) return missing;
      unservable = served.version;
      continue;
    }
    if (question.isCut !== true && opensDispute(release, unit, served, question.scan)) {
      begin(entry.conversations, unit.conversation, release.revision);
      announceBeginnings(entry, scope);
    }
    const { conversations } = entry;
    const hasShield = release.shield !== false;
    const isShielded = hasShield && served.arm === "canary";
    return {
      entry,
      injected: inject(question, loaded),
      chain: noteOf({ ...question, unit, link, release, assignment, conversations }, Date.now()),
      streams: question.endpoint.streams ?? question.scan.stream,
      hidesUsage: question.asksUsage && question.endpoint.format.leavesUsageOpen?.(question.scan) === true,
      isCompared: isShielded || (hasShield && served.reason === "split"),
      describe: (routed) => describeCall(question, entry, routed, link?.root?.key ?? unit.key, release),
      fallback: isShielded ? () => fallBack(question, entry, served, scope) : null,
    };
  }
  return problem("release_unavailable", `The release of ${question.name} keeps changing. Retry shortly.`);
}

/** Of a count of tokens nobody has anything to say. */
function sealedAs({ sealer, environment }: Entry, { endpoint, scan }: Question): SealedAs | null {
  if (sealer === null || endpoint.count) return null;
  return { sealer, environment, turn: scan.continues ? "later" : "first" };
}

/** False: Control did not say in time. */
async function askControl(entry: Entry, needs: Needs, scope: Scope): Promise<boolean> {
  if (needs.needs === "chain") {
    const root = await askChain(entry, needs.response, scope);
    if (root !== undefined) rememberChain(entry.chains, needs.response, root);
    return root !== undefined;
  }
  const revision = await askBegan(entry, needs.conversation, scope);
  if (revision !== undefined) remember(entry.conversations, needs.conversation, revision);
  return revision !== undefined;
}

/** `unheard`: Control did not say when the conversation began; this one turn then goes by the oldest table. */
function decideArm(
  question: Question,
  entry: Entry,
  grant: Grant,
  unit: UnitKey & { link: Link | null },
  unheard: boolean,
): Assignment | Needs | Problem {
  const nowMs = Date.now();
  const { link } = unit;
  const leaseIsLive = freshnessOf(grant, nowMs) !== "dead";
  if (link?.root === undefined && link !== null && leaseIsLive && question.pin === null && !unheard) {
    return { needs: "chain", response: link.response };
  }
  const root = link?.root ?? null;
  return assign({
    release: grant.release,
    // What a turn itself says goes before what its chain began with.
    key: link?.kind === "keyless" ? (root?.key ?? unit.key) : unit.key,
    conversation: link?.response ?? unit.conversation,
    continues: question.scan.continues,
    isStranger: link?.kind === "keyless" && root === null,
    pin: question.pin,
    leaseIsLive,
    nowMs,
    began: (conversation) => {
      if (link !== null) return root?.revision ?? null;
      const known = recall(entry.conversations, conversation);
      return known === undefined && unheard ? null : known;
    },
  });
}

/** The name may be an alias. An entry for a name that nobody has is not kept. */
async function followAlias(entry: Entry, name: string, scope: Scope): Promise<string | null> {
  forgetEntry(entry);
  if (entry.prompt !== name) return null;
  const prompt = await lookUpAlias(name, scope);
  // A prompt holds its own name, an archived one too.
  return prompt === name ? null : prompt;
}

/** The same request with the baseline in it, by the release as it is now: a rollback may have come meanwhile. null: the
 * baseline cannot be had, or cannot take this request either. */
async function fallBack(
  question: Question,
  entry: Entry,
  failed: Assignment,
  scope: Scope,
): Promise<Fallback | null> {
  const grant = peekRelease(entry, scope) ?? (await obtainRelease(entry, scope));
  const assignment = isProblem(grant) ? null : assignFallback(grant.release, failed);
  if (assignment === null) return null;
  const loaded = await loadVersion(entry.prompt, assignment.version, scope);
  // The canary may have taken longer than a lease, and the key may be revoked by now.
  if ((await checkPrompted(question.admission, entry.prompt, question.environment, scope)) !== null)
    return null;
  const injected = isProblem(loaded) ? loaded : inject(question, loaded);
  return isProblem(injected) ? null : { assignment, injected };
}

/** Is this a first turn whose later turns must find the arm that it gets, though the tables disagree (guarantee 3)? */
function opensDispute(
  release: Release,
  unit: UnitKey,
  served: Assignment,
  scan: Scan,
): unit is UnitKey & { conversation: string } {
  if (scan.continues || unit.conversation === null || release.drains.length === 0) return false;
  if (served.reason !== "split" && served.reason !== "static") return false;
  return isAmbiguous(release, unit.key, Date.now());
}

function injectBody({ endpoint, scan, isCut }: Question, prepared: Pieces): Injected["body"] | Problem {
  const { format } = endpoint;
  if (isCut === true || scan.body.length < PIECES_FROM_BYTES) return format.inject(scan, prepared);
  const patches = format.plan(scan, prepared);
  return isProblem(patches) ? patches : { body: scan.body, patches };
}

function inject(question: Question, loaded: LoadedVersion): Injected | Problem {
  const { endpoint, provider, variables, path, agent, asksUsage } = question;
  const options = { provider, count: endpoint.count, modelInPath: endpoint.modelAt !== null, asksUsage };
  // A coding agent's own system text has to stay first, and as it is.
  const placement = agent === null ? null : "append";
  const piece = prepareVersion(loaded, endpoint.format, variables, options, placement);
  if (isProblem(piece)) return piece;
  const { prepared } = piece;
  const body = injectBody(question, prepared);
  if (isProblem(body)) return body;
  const { pathModel } = prepared.settings;
  if (pathModel !== null) return { path: replaceModel(path, endpoint, pathModel), body };
  return checkModelInPath(path, endpoint) ?? { path, body };
}
