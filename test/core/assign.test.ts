// Assignment: frozen vectors, the fences (lease, pins, revocations), and conversations that keep the version they
// began on through whole ramps, told from releases that real commands made.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign, explainAssignment, isAmbiguous, tableAt, type AssignInput } from "../../src/core/assign.ts";
import { bucketOf, HASH_ALGORITHM } from "../../src/core/hash.ts";
import { versionAt } from "../../src/core/slots.ts";
import type { Assignment, Release } from "../../src/core/types.ts";
import vectors from "../vectors/assignment.json" with { type: "json" };
import { command, DRAIN_MS, freeze, lifeWith, type Life } from "./decide-support.ts";

type Question = Partial<AssignInput> & { release: Release };

function ask(question: Question): ReturnType<typeof assign> {
  return assign({
    key: "user-1",
    conversation: "c",
    continues: false,
    pin: null,
    leaseIsLive: true,
    nowMs: 0,
    began: () => undefined,
    ...question,
  });
}

function assigned(question: Question): Assignment {
  const result = ask(question);
  if (!("version" in result)) throw new Error(`not assigned: ${JSON.stringify(result)}`);
  return result;
}

const KEYS = Array.from({ length: 3000 }, (_, index) => `user-${index}`);

describe("the frozen assignments", () => {
  it.each(vectors.assignment)("$name", ({ release, began, expected, ...question }) => {
    const releases = vectors.releases as unknown as { [name: string]: Release };
    const known = began as { [conversation: string]: number | null };
    const { key, conversation, continues, pin, leaseIsLive, nowMs } = question;
    const result = assign({
      key,
      conversation,
      continues,
      pin,
      leaseIsLive,
      nowMs,
      release: freeze(releases[release]!),
      began: (one) => known[one],
    });
    expect(result).toMatchObject(expected);
    if (!("problem" in result)) expect(result).toEqual(expected);
  });
});

describe("an assignment", () => {
  it("is what the slots say of the bucket, and explains itself", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 20), command.canary(3, 7.5));
    const release = life.release();
    for (const key of KEYS.slice(0, 200)) {
      const explained = explainAssignment(release, key, life.nowMs);
      if ("problem" in explained) throw new Error(explained.message);
      const bucket = bucketOf(release.table.salt, key);
      expect(explained).toEqual({
        prompt: "support-bot",
        environment: "production",
        revision: release.revision,
        key,
        salt: release.table.salt,
        bucket,
        version: versionAt(release.table.slots, bucket),
        arm: explained.version === 1 ? "baseline" : "canary",
        reason: "split",
        slots: release.table.slots,
        algorithm: HASH_ALGORITHM,
      });
      expect(assigned({ release, key, nowMs: life.nowMs })).toMatchObject({
        version: explained.version,
        bucket,
      });
    }
  });

  it("explains one arm with its bucket too", () => {
    const release = lifeWith(1).release();
    expect(explainAssignment(release, "user-1", 0)).toMatchObject({
      version: 1,
      arm: "baseline",
      reason: "static",
    });
    expect(assigned({ release })).toEqual({
      version: 1,
      arm: "baseline",
      reason: "static",
      revision: 1,
      bucket: null,
    });
  });

  it("has shares as the weights say", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 20), command.canary(3, 5));
    const counts = new Map<number, number>();
    for (let index = 0; index < 40_000; index++) {
      const { version } = assigned({ release: life.release(), key: `u${index}` });
      counts.set(version, (counts.get(version) ?? 0) + 1);
    }
    expect(Math.abs((counts.get(2) ?? 0) - 8_000)).toBeLessThan(400);
    expect(Math.abs((counts.get(3) ?? 0) - 2_000)).toBeLessThan(220);
  });

  it("never leaves the baseline without a live lease, whatever else is asked", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 60), command.canary(3, 30));
    for (const key of KEYS.slice(0, 100)) {
      for (const pin of [null, 2, 3, 99]) {
        for (const continues of [false, true]) {
          const result = assigned({ release: life.release(), key, pin, continues, leaseIsLive: false });
          expect(result).toEqual({
            version: 1,
            arm: "baseline",
            reason: "no_lease",
            revision: 3,
            bucket: null,
          });
        }
      }
    }
  });

  it("never serves a revoked version, even from slots that still name it", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 50));
    const release = { ...life.release(), revoked: [2] };
    for (const key of KEYS.slice(0, 200)) expect(assigned({ release, key }).version).toBe(1);
    expect(ask({ release, pin: 2 })).toMatchObject({ problem: "version_revoked" });
    expect(ask({ release, pin: 2, leaseIsLive: false })).toMatchObject({ problem: "version_revoked" });
    expect(ask({ release: { ...release, revoked: [1] }, leaseIsLive: false })).toMatchObject({
      problem: "version_revoked",
    });
    expect(explainAssignment({ ...release, revoked: [1, 2] }, "user-1", 0)).toMatchObject({
      problem: "version_revoked",
    });
  });

  it("falls to the baseline where slots are no partition", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 50));
    const release = life.release();
    const broken = {
      ...release,
      table: {
        ...release.table,
        slots: [
          { version: 2, from: 0, to: 1 },
          { version: 2, from: 1, to: 2 },
        ],
      },
    };
    expect(assigned({ release: broken, key: "user-1" }).version).toBe(1);
  });
});

/** A conversation as an edge and Control together keep it: the first turn is recorded where tables disagree. */
class Chat {
  readonly key: string;
  readonly versions: number[] = [];
  #began: number | null = null;

  constructor(key: string) {
    this.key = key;
  }

  turn(life: Life): Assignment {
    const release = life.release();
    const { key } = this;
    const continues = this.versions.length > 0;
    if (!continues && isAmbiguous(release, key, life.nowMs)) this.#began = release.revision;
    const result = assigned({ release, key, continues, nowMs: life.nowMs, began: () => this.#began });
    this.versions.push(result.version);
    return result;
  }
}

const chats = (): Chat[] => KEYS.map((key) => new Chat(key));

function expectKept(all: Chat[]): void {
  for (const chat of all) expect(new Set(chat.versions).size, chat.key).toBe(1);
}

describe("a conversation", () => {
  it("keeps its version over a ramp with a second canary, whether it began before, between or after the steps", () => {
    const life = lifeWith(3);
    const groups = [chats()];
    const steps = [
      command.canary(2, 1),
      command.canary(2, 5),
      command.canary(3, 10),
      command.canary(2, 25),
      command.canary(2, 50),
      command.canary(3, 0),
      command.canary(2, 10),
      command.promote(2),
    ];
    for (const step of steps) {
      for (const group of groups) for (const chat of group) chat.turn(life);
      life.do(step);
      groups.push(chats());
    }
    for (const group of groups) for (const chat of group) chat.turn(life);
    for (const group of groups) expectKept(group);
    const newest = groups.at(-1)!.map((chat) => chat.versions[0]);
    expect(new Set(newest)).toEqual(new Set([2]));
    const versions = new Set(groups.flatMap((group) => group.map((chat) => chat.versions[0])));
    expect(versions).toEqual(new Set([1, 2, 3]));
  });

  it("keeps its version over random steps that drain, up to as many as are kept", () => {
    const version = fc.constantFrom(1, 2, 3);
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(version, fc.integer({ min: 0, max: 5000 }))
          .map(([one, weight]) => command.canary(one, weight / 100)),
      },
      { weight: 1, arbitrary: version.map((one) => command.promote(one)) },
      {
        weight: 1,
        arbitrary: fc
          .option(version, { nil: undefined })
          .map((to) => command.rollback({ mode: "drain", ...(to && { to }) })),
      },
      { weight: 1, arbitrary: fc.constantFrom(command.archive(), command.put()) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const life = lifeWith(3);
        const groups: Chat[][] = [];
        for (const input of steps) {
          groups.push(KEYS.slice(0, 40).map((key) => new Chat(key)));
          for (const group of groups) for (const chat of group) chat.turn(life);
          life.attempt(input);
        }
        for (const group of groups) for (const chat of group) chat.turn(life);
        for (const group of groups) expectKept(group);
      }),
      { numRuns: 500 },
    );
  });

  it("says `drain` exactly where the current table would say another version", () => {
    const life = lifeWith(2);
    const all = chats();
    for (const chat of all) chat.turn(life);
    life.do(command.canary(2, 30));
    for (const chat of all) {
      const result = chat.turn(life);
      const now = assigned({ release: life.release(), key: chat.key, nowMs: life.nowMs });
      expect(result.reason).toBe(now.version === result.version ? "split" : "drain");
    }
  });

  it("is moved at once by a rollback, and finishes where it drains", () => {
    for (const mode of ["now", "drain"] as const) {
      const life = lifeWith(2);
      life.do(command.canary(2, 50));
      const all = chats();
      for (const chat of all) chat.turn(life);
      const onCanary = all.filter((chat) => chat.versions[0] === 2);
      expect(onCanary.length).toBeGreaterThan(1000);
      life.do(command.rollback({ mode }));
      for (const chat of all) {
        const result = chat.turn(life);
        expect(result.version).toBe(mode === "now" ? 1 : chat.versions[0]);
        expect(new Chat(chat.key).turn(life).version).toBe(1);
      }
      life.wait(DRAIN_MS);
      for (const chat of onCanary) expect(chat.turn(life)).toMatchObject({ version: 1, reason: "static" });
    }
  });

  it("is moved by a canary that does not drain", () => {
    const life = lifeWith(2);
    const all = chats();
    for (const chat of all) chat.turn(life);
    life.do(command.canary(2, 50, { transition: "now" }));
    const moved = all.filter((chat) => chat.turn(life).version === 2);
    expect(moved.length).toBeGreaterThan(1000);
  });

  it("leaves a revoked version at once, and nobody else is moved", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 20), command.canary(3, 20));
    const all = chats();
    for (const chat of all) chat.turn(life);
    life.do(command.canary(2, 40), command.canary(3, 40));
    for (const chat of all) chat.turn(life);
    life.do(command.revoke(2));
    for (const chat of all) {
      const [began] = chat.versions;
      expect(chat.turn(life).version).toBe(began === 2 ? 1 : began);
    }
  });

  it("asks when it began only where tables disagree and nobody knows", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 30));
    const release = life.release();
    const nowMs = life.nowMs;
    for (const key of KEYS.slice(0, 300)) {
      const ambiguous = isAmbiguous(release, key, nowMs);
      const result = ask({ release, key, continues: true, nowMs, conversation: "chat" });
      expect("needs" in result).toBe(ambiguous);
      if (ambiguous) expect(result).toEqual({ needs: "began", conversation: "chat" });
      expect(assigned({ release, key, continues: true, nowMs, conversation: null }).version).toBe(1);
      expect(isAmbiguous(release, key, nowMs + DRAIN_MS)).toBe(false);
      expect(isAmbiguous({ ...release, unit: "request" }, key, nowMs)).toBe(false);
    }
  });
});

describe("the table at a revision", () => {
  it("is the one in force then, and the oldest known for what is older", () => {
    const life = lifeWith(2);
    life.do(
      command.canary(2, 5),
      command.canary(2, 25),
      command.put({ unit: "user" }),
      command.canary(2, 50),
    );
    const release = life.release();
    const found = [0, 1, 2, 3, 4, 5, 99].map((revision) => tableAt(release, revision).revision);
    expect(found).toEqual([1, 1, 2, 3, 3, 5, 5]);
    expect(tableAt(release, 1, life.nowMs + DRAIN_MS).revision).toBe(5);
  });
});
