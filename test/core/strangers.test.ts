// Response chains without a key: remembered only where it shows, and yet never switched while a change drains, whatever
// the prompt goes through. Told from releases that real commands made.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign } from "../../src/core/assign.ts";
import { isContested, isForgettable, type ChainRoot } from "../../src/core/strangers.ts";
import type { Assignment } from "../../src/core/types.ts";
import { command, DRAIN_MS, lifeWith, type Life } from "./decide-support.ts";

/** A chain as edge and Control keep it: what is forgotten is forgotten for good. */
class Chain {
  readonly key: string;
  readonly beganMs: number;
  readonly versions: number[] = [];
  rows = 0;
  #root: ChainRoot | null = null;

  constructor(key: string, beganMs = 0) {
    this.key = key;
    this.beganMs = beganMs;
  }

  turn(life: Life): Assignment {
    const { nowMs } = life;
    const release = life.release();
    const continues = this.versions.length > 0;
    const root = continues ? this.#root : { key: this.key, revision: release.revision };
    const result = assign({
      release,
      key: root?.key ?? "the key of this turn alone",
      conversation: "c",
      continues,
      isStranger: root === null,
      pin: null,
      leaseIsLive: true,
      nowMs,
      began: () => root?.revision,
    });
    if (!("version" in result)) throw new Error(`not assigned: ${JSON.stringify(result)}`);
    const isKept =
      root !== null && isContested(release, nowMs) && !isForgettable(release, result.version, nowMs);
    this.#root = isKept ? root : null;
    if (isKept) this.rows += 1;
    this.versions.push(result.version);
    return result;
  }

  forget(): this {
    this.#root = null;
    return this;
  }
}

const chainsOf = (life: Life, count: number): Chain[] =>
  Array.from({ length: count }, (_, index) => new Chain(`chain-${index}`, life.nowMs));

const version = fc.constantFrom(1, 2, 3);

const drainingStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(version, fc.constantFrom(0, 1, 5, 20, 50, 99, 100))
      .map(([one, weight]) => command.canary(one, weight)),
  },
  { weight: 2, arbitrary: version.map((one) => command.promote(one)) },
  {
    weight: 2,
    arbitrary: fc
      .option(version, { nil: undefined })
      .map((to) => command.rollback({ mode: "drain", ...(to && { to }) })),
  },
);

describe("a chain without a key", () => {
  it("keeps its version for as long as a drain lasts, over random changes and waits", () => {
    const wait = fc.constantFrom(0, 1_000, DRAIN_MS / 3, DRAIN_MS - 2_000, DRAIN_MS + 2_000);
    const history = fc.array(fc.tuple(drainingStep, wait), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(history, (steps) => {
        const life = lifeWith(3);
        const groups: Chain[][] = [];
        const takeTurns = () => {
          for (const chain of groups.flat()) {
            if (life.nowMs < chain.beganMs + DRAIN_MS) chain.turn(life);
          }
        };
        for (const [step, waitMs] of steps) {
          groups.push(chainsOf(life, 40));
          takeTurns();
          life.attempt(step);
          takeTurns();
          life.wait(waitMs);
          takeTurns();
        }
        for (const chain of groups.flat()) expect(new Set(chain.versions).size, chain.key).toBe(1);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is on the version that its key would be given, turn by turn, where it is remembered", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 30));
    const all = chainsOf(life, 300);
    for (let turn = 0; turn < 3; turn += 1) for (const chain of all) chain.turn(life);
    const onCanary = all.filter((chain) => chain.versions[0] === 2);
    expect(onCanary.length).toBeGreaterThan(60);
    for (const chain of all) expect(chain.rows).toBe(chain.versions[0] === 2 ? 3 : 0);
  });

  it("costs nothing while one version is all there is", () => {
    const life = lifeWith(2);
    const all = chainsOf(life, 50);
    for (const chain of all) expect(chain.turn(life)).toMatchObject({ version: 1, reason: "static" });
    life.do(command.canary(2, 100, { transition: "now" }));
    for (const chain of chainsOf(life, 50))
      expect(chain.turn(life)).toMatchObject({ version: 2, reason: "static" });
    for (const chain of all) expect(chain.rows).toBe(0);
  });

  it("is moved at once by a rollback, finishes where it drains, and by nothing else", () => {
    for (const mode of ["now", "drain"] as const) {
      const life = lifeWith(2);
      life.do(command.canary(2, 50));
      const all = chainsOf(life, 200);
      for (const chain of all) chain.turn(life);
      life.do(command.rollback({ mode }));
      for (const chain of all) {
        const { version: now, reason } = chain.turn(life);
        expect(now).toBe(mode === "now" ? 1 : chain.versions[0]);
        if (mode === "drain") expect(reason).toBe(now === 2 ? "drain" : "static");
      }
      life.wait(DRAIN_MS);
      for (const chain of all) expect(chain.turn(life).version).toBe(1);
    }
  });

  it("goes to the promoted version only when the drain is over", () => {
    const life = lifeWith(2);
    const before = chainsOf(life, 50);
    for (const chain of before) chain.turn(life);
    life.do(command.promote(2));
    for (const chain of before) expect(chain.turn(life)).toMatchObject({ version: 1, reason: "drain" });
    const after = chainsOf(life, 50);
    for (const chain of after)
      expect([chain.turn(life), chain.turn(life)]).toMatchObject([{ version: 2 }, { version: 2 }]);
    life.wait(DRAIN_MS);
    for (const chain of [...before, ...after])
      expect(chain.turn(life)).toMatchObject({ version: 2, reason: "static" });
  });

  it("leaves a revoked version at once", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 20), command.canary(3, 20));
    const all = chainsOf(life, 200);
    for (const chain of all) chain.turn(life);
    life.do(command.revoke(2));
    for (const chain of all)
      expect(chain.turn(life).version).toBe(chain.versions[0] === 2 ? 1 : chain.versions[0]);
  });
});

function meet(life: Life): Assignment {
  const chain = new Chain("stranger");
  chain.versions.push(0);
  return chain.forget().turn(life);
}

describe("a stranger", () => {
  it("gets the baseline of the oldest table in force, then the present one, and says why", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 50));
    expect(meet(life)).toMatchObject({ version: 1, arm: "baseline", reason: "split", bucket: null });
    life.do(command.promote(2));
    expect(meet(life)).toMatchObject({ version: 1, arm: "canary", reason: "drain" });
    life.wait(DRAIN_MS);
    expect(meet(life)).toMatchObject({ version: 2, arm: "baseline", reason: "static" });
  });

  it("never gets a version that was tried and taken back since it can have begun", () => {
    const life = lifeWith(2);
    life.do(command.promote(2));
    life.wait(1_000).do(command.rollback({ mode: "drain", to: 1 }));
    expect(meet(life).version).toBe(1);
    life.wait(DRAIN_MS - 1_500);
    expect(life.release().drains.filter((drain) => drain.until > life.nowMs)).toHaveLength(1);
    expect(meet(life).version).toBe(1);
  });

  it("gets the baseline without a lease, like everybody", () => {
    const life = lifeWith(2);
    life.do(command.promote(2));
    const question = {
      release: life.release(),
      key: "k",
      conversation: null,
      continues: true,
      isStranger: true,
    };
    const more = { pin: null, leaseIsLive: false, nowMs: life.nowMs, began: () => null };
    expect(assign({ ...question, ...more })).toMatchObject({ version: 2, reason: "no_lease" });
    expect(assign({ ...question, ...more, leaseIsLive: true, pin: 1 })).toMatchObject({
      version: 1,
      reason: "pinned",
    });
  });

  it("is answered from drains that were written before strangers had a place in them", () => {
    const life = lifeWith(2);
    life.do(command.promote(2));
    const release = structuredClone(life.release());
    for (const drain of release.drains) delete drain.strangers;
    const question = { release, key: "k", conversation: null, continues: true, isStranger: true };
    const more = { pin: null, leaseIsLive: true, nowMs: life.nowMs, began: () => null };
    expect(assign({ ...question, ...more })).toMatchObject({ version: 2 });
    expect(isForgettable(release, 2, life.nowMs)).toBe(false);
  });

  it("of a baseline that owns nothing gets the version that owns most", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 40), command.canary(3, 60));
    life.wait(DRAIN_MS);
    expect(meet(life)).toMatchObject({ version: 3, reason: "split" });
  });
});

it("is no matter where each request is a unit of its own", () => {
  const life = lifeWith(2);
  life.do(command.put({ unit: "request" }), command.canary(2, 50));
  expect(isContested(life.release(), life.nowMs)).toBe(false);
});
