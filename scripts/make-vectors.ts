// Writes test/vectors/assignment.json: what anybody needs to check their own computation of an assignment. Run once
// for a new HASH_ALGORITHM; for the present one the file is frozen, and a test compares every line of it with the
// code and with a second implementation. Without --write, only says whether the file would change (exit code 1).

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assign, type AssignInput } from "../src/core/assign.ts";
import { bucketOf, fingerprint64, HASH_ALGORITHM, hashUnit } from "../src/core/hash.ts";
import { compileSlots, versionAt } from "../src/core/slots.ts";
import { BUCKETS, type Arm, type Drain, type Release, type Slot, type SlotTable } from "../src/core/types.ts";

const FILE = join(import.meta.dirname, "../test/vectors/assignment.json");
const SALT = "support-bot:production:1";
const NOW_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;

type Case = Omit<AssignInput, "release" | "began"> & {
  name: string;
  release: string;
  /** Conversation → revision, or null for "before all drains"; a conversation that is not here is not known. */
  began: { [conversation: string]: number | null };
};

const TEXTS: [name: string, salt: string, key: string][] = [
  ["empty", "", ""],
  ["empty key", SALT, ""],
  ["ASCII", SALT, "user-1"],
  ["the next id", SALT, "user-2"],
  ["another environment", "support-bot:staging:1", "user-1"],
  ["another rotation", "support-bot:production:9", "user-1"],
  ["another prompt", "sales-bot:production:1", "user-1"],
  ["the line feed belongs to neither", "support-bot:production:1\n", "user-1"],
  ["UUID", SALT, "3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b"],
  ["two bytes", SALT, "usuário-é"],
  ["three bytes", SALT, "用户-一"],
  ["four bytes", SALT, "😀-user"],
  ["four bytes, beyond the second plane", SALT, "\u{20bb7}野家-\u{2f800}\u{e0041}"],
  ["edges of the encoding", SALT, "\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}"],
  ["NUL", SALT, "\u0000"],
  // JSON readers disagree about lone surrogates, so the file holds what they count as.
  ["U+FFFD, which a lone surrogate counts as", SALT, "a\ufffd"],
  ["two U+FFFD", SALT, "\ufffd\ufffd"],
  ["a sentence", SALT, "Hello! I have a question about order 4711, which has not come yet."],
  ["1,000 letters", SALT, "x".repeat(1000)],
];

const WHOLE: Slot[] = [{ version: 1, from: 0, to: BUCKETS }];

function tableOf(revision: number, previous: SlotTable | null, arms: Arm[]): SlotTable {
  return { revision, salt: SALT, slots: compileSlots(previous?.slots ?? WHOLE, arms) };
}

function releaseOf(arms: Arm[], table: SlotTable, more: Partial<Release> = {}): Release {
  return {
    schema: 1,
    prompt: "support-bot",
    environment: "production",
    revision: table.revision,
    unit: "conversation",
    baseline: 1,
    arms,
    table,
    drains: [],
    revoked: [],
    changedAt: new Date(NOW_MS).toISOString(),
    ...more,
  };
}

const alone: Arm[] = [{ version: 1, weight: 100 }];
const five: Arm[] = [
  { version: 1, weight: 95 },
  { version: 2, weight: 5 },
];
const quarter: Arm[] = [
  { version: 1, weight: 65 },
  { version: 2, weight: 25 },
  { version: 3, weight: 10 },
];
const first = tableOf(1, null, alone);
const second = tableOf(2, first, five);
const third = tableOf(3, second, quarter);
const drain = (table: SlotTable): Drain => ({ ...table, until: NOW_MS + DAY_MS });

const RELEASES: { [name: string]: Release } = {
  alone: releaseOf(alone, first),
  five: releaseOf(five, second),
  ramp: releaseOf(quarter, third, { drains: [drain(first), drain(second)] }),
  expired: releaseOf(quarter, third, { drains: [{ ...drain(first), until: NOW_MS }] }),
  requests: releaseOf(quarter, third, { unit: "request", drains: [drain(first)] }),
  rotated: releaseOf(
    alone,
    { revision: 4, salt: "support-bot:production:4", slots: WHOLE },
    { drains: [drain(third)] },
  ),
  revoked: releaseOf(five, second, { revoked: [2] }),
  hollow: releaseOf(five, second, { baseline: 1, revoked: [1, 2] }),
};

/** The first `user-N` that the three tables give these versions. */
function keyWith(inFirst: number, inSecond: number, inThird: number): string {
  for (let id = 1; id < 100_000; id++) {
    const key = `user-${id}`;
    const bucket = bucketOf(SALT, key);
    const versions = [first, second, third].map((table) => versionAt(table.slots, bucket));
    if (versions.join() === [inFirst, inSecond, inThird].join()) return key;
  }
  throw new Error("no key has these versions");
}

const always = keyWith(1, 1, 1);
const early = keyWith(1, 2, 2);
const late = keyWith(1, 1, 2);
const other = keyWith(1, 1, 3);
const CHAT = fingerprint64("chat-1");

function caseOf(name: string, release: string, key: string, more: Partial<Case> = {}): Case {
  const plain = {
    conversation: null,
    continues: false,
    pin: null,
    leaseIsLive: true,
    nowMs: NOW_MS,
    began: {},
  };
  return { name, release, key, ...plain, ...more };
}

const later = (began: Case["began"]): Partial<Case> => ({ conversation: CHAT, continues: true, began });

const CASES: Case[] = [
  caseOf("one arm", "alone", always),
  caseOf("baseline of a split", "five", always),
  caseOf("canary of a split", "five", early),
  caseOf("the canary of 5 % is on it at 25 %", "ramp", early),
  caseOf("a second canary", "ramp", other),
  caseOf("first turn while a ramp drains: the current table", "ramp", late),
  caseOf("no lease", "five", early, { leaseIsLive: false }),
  caseOf("no lease, one arm", "alone", always, { leaseIsLive: false }),
  caseOf("pinned to a canary", "five", always, { pin: 2 }),
  caseOf("pinned to a version that is no arm", "five", always, { pin: 7 }),
  caseOf("pinned to the baseline without a lease", "five", early, { pin: 1, leaseIsLive: false }),
  caseOf("pinned elsewhere without a lease", "five", early, { pin: 2, leaseIsLive: false }),
  caseOf("pinned to a revoked version", "revoked", always, { pin: 2 }),
  caseOf("a revoked version in the slots gives way to the baseline", "revoked", early),
  caseOf("the baseline itself is revoked", "hollow", always),
  caseOf("the baseline itself is revoked, and no lease", "hollow", always, { leaseIsLive: false }),
  caseOf("later turn, all tables agree", "ramp", always, later({})),
  caseOf("later turn, not known when it began", "ramp", early, later({})),
  caseOf("later turn of a conversation from before all drains", "ramp", early, later({ [CHAT]: null })),
  caseOf("later turn, begun at the first table", "ramp", early, later({ [CHAT]: 1 })),
  caseOf("later turn, begun between the steps", "ramp", early, later({ [CHAT]: 2 })),
  caseOf("later turn, begun between the steps, moved by the second", "ramp", late, later({ [CHAT]: 2 })),
  caseOf("later turn, begun after the last step", "ramp", late, later({ [CHAT]: 3 })),
  caseOf("later turn, begun at a newer revision than is known here", "ramp", late, later({ [CHAT]: 9 })),
  caseOf("later turn without an identity", "ramp", early, { continues: true }),
  caseOf("later turn after the drain has run out", "expired", early, later({})),
  caseOf("later turn of a unit that has none", "requests", early, later({})),
  caseOf("first turn after a rollback that drains", "rotated", early),
  caseOf("later turn after a rollback that drains", "rotated", early, later({ [CHAT]: 3 })),
  caseOf("later turn without a lease", "ramp", early, { ...later({ [CHAT]: 3 }), leaseIsLive: false }),
];

function expectedOf(one: Case): unknown {
  const release = RELEASES[one.release];
  if (release === undefined) throw new Error(`no release ${one.release}`);
  const result = assign({ ...one, release, began: (conversation) => one.began[conversation] });
  return "problem" in result ? { problem: result.problem } : result;
}

const vectors = {
  about:
    'hash = murmur3 finalizer of FNV-1a 32 over the UTF-8 bytes of salt + "\\n" + key; bucket = floor(hash * 10000 / 2^32). ' +
    "A slot owns the buckets from `from` (included) to `to` (excluded). Frozen under the name of its algorithm.",
  algorithm: HASH_ALGORITHM,
  buckets: BUCKETS,
  hash: TEXTS.map(([name, salt, key]) => ({
    name,
    salt,
    key,
    hash: hashUnit(salt, key),
    bucket: bucketOf(salt, key),
  })),
  fingerprint: TEXTS.map(([name, , text]) => ({ name, text, fingerprint: fingerprint64(text) })),
  releases: RELEASES,
  assignment: CASES.map((one) => ({ ...one, expected: expectedOf(one) })),
};

const text = `${JSON.stringify(vectors, null, 2)}\n`;
const isSame = existsSync(FILE) && readFileSync(FILE, "utf8") === text;
if (process.argv.includes("--write")) writeFileSync(FILE, text);
console.log(isSame ? "vectors: unchanged" : "vectors: changed");
if (!isSame && !process.argv.includes("--write")) process.exitCode = 1;
