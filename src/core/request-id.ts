// The id of a prompted turn, by which feedback on its answer is given: it says itself what served the turn, so that nobody
// has to remember millions of turns for the few that somebody rates, and ends in a seal that nobody can make without the
// prompt's own key. Header-safe, readable, and it contains the random id that stands in the logs:
//
//   support-bot.production.7v2csf.t5k2a9.3f2504e0-4f89-41d3-9a0c-0305e82c3301.q83vEjRWeJCrze8S
//   prompt      environment │ │││ time   random id                            seal
//                    revision version, arm, reason, turn
//
// The seal covers every character before it. What follows from it is checked by whoever holds the key (Control).

import type { Stamp, Turn } from "./metering/outcome.ts";
import type { ArmName, Reason } from "./types.ts";

/** One turn as its id tells it. */
export type ServedTurn = Omit<Stamp, "unitBucket"> & {
  prompt: string;
  environment: string;
  /** On the isolate's clock, in whole seconds. */
  servedAtMs: number;
  /** The UUID that log lines have. */
  id: string;
};

/** `claim`: what the seal is over. */
export type SignedId = { turn: ServedTurn; claim: string; seal: string };

/** Of an HMAC-SHA256: 96 bits. They fill their letters exactly, so no other letters spell the same seal. */
export const SEAL_BYTES = 12;

const ARMS: { [arm in ArmName]: string } = { baseline: "b", canary: "c", pinned: "p" };
const REASONS: { [reason in Reason]: string } = {
  static: "t",
  split: "s",
  pinned: "p",
  drain: "d",
  no_lease: "n",
  fallback: "f",
};
const TURNS: { [turn in Turn]: string } = { first: "f", later: "l" };

const NAME = "[a-z0-9][a-z0-9_-]{0,62}";
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const SIGNED = new RegExp(
  `^((${NAME})\\.(${NAME})\\.(\\d{1,9})v(\\d{1,9})([bcp])([tspdnf])([fl])\\.([0-9a-z]{6,8})\\.(${UUID}))\\.([\\w-]{16})$`,
);
const PLAIN = new RegExp(`^${UUID}$`);

export function writeClaim({ prompt, environment, id, servedAtMs, ...stamp }: ServedTurn): string {
  const { revision, version, arm, reason, turn } = stamp;
  const served = `${revision}v${version}${ARMS[arm]}${REASONS[reason]}${TURNS[turn]}`;
  return `${prompt}.${environment}.${served}.${Math.floor(servedAtMs / 1_000).toString(36)}.${id}`;
}

/** null: it has not the form of one. `plain`: the id of a request that no feedback can be given on. */
export function readSignedId(text: string): SignedId | "plain" | null {
  const found = SIGNED.exec(text);
  if (found === null) return PLAIN.test(text) ? "plain" : null;
  const [, claim, prompt, environment, revision, version, arm, reason, turn, time, id, seal] =
    found as unknown as string[] & { length: 12 };
  return {
    turn: {
      prompt: prompt!,
      environment: environment!,
      revision: Number(revision),
      version: Number(version),
      arm: keyOf(ARMS, arm!),
      reason: keyOf(REASONS, reason!),
      turn: keyOf(TURNS, turn!),
      servedAtMs: 1_000 * Number.parseInt(time!, 36),
      id: id!,
    },
    claim: claim!,
    seal: seal!,
  };
}

/** The pattern lets only letters of the table through. */
function keyOf<Key extends string>(table: { [key in Key]: string }, letter: string): Key {
  return (Object.keys(table) as Key[]).find((key) => table[key] === letter)!;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The first bytes of a MAC as base64url. */
export function writeSeal(mac: Uint8Array): string {
  let text = "";
  for (let at = 0; at < SEAL_BYTES; at += 3) {
    const bits = (mac[at]! << 16) | (mac[at + 1]! << 8) | mac[at + 2]!;
    for (let shift = 18; shift >= 0; shift -= 6) text += LETTERS[(bits >> shift) & 63]!;
  }
  return text;
}

/** In a time that tells nothing of where they differ. */
export function isSameSeal(one: string, other: string): boolean {
  let differing = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) differing |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return differing === 0;
}
