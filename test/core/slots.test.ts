// Compiled slots: shares exact to the bucket, and never a bucket moved without need.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketsWeight,
  compileSlots,
  countBuckets,
  replaceOwner,
  sameEffect,
  soleOwner,
  validateSlots,
  versionAt,
  weightBuckets,
} from "../../src/core/slots.ts";
import { BUCKETS, type Arm, type Slot } from "../../src/core/types.ts";

const WHOLE: Slot[] = [{ version: 1, from: 0, to: BUCKETS }];

function movedBuckets(before: Slot[], after: Slot[]): number {
  let moved = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (versionAt(before, bucket) !== versionAt(after, bucket)) moved++;
  }
  return moved;
}

/** What cannot be avoided: every bucket that a version has too many of must go to somebody. */
function leastMoves(before: Slot[], arms: Arm[]): number {
  const wanted = new Map(arms.map((arm) => [arm.version, Math.round(arm.weight * 100)]));
  return [...countBuckets(before)].reduce(
    (sum, [version, buckets]) => sum + Math.max(0, buckets - (wanted.get(version) ?? 0)),
    0,
  );
}

function expectGood(before: Slot[], arms: Arm[], after: Slot[]): void {
  expect(validateSlots(after)).toBeNull();
  const counts = countBuckets(after);
  for (const { version, weight } of arms) expect(counts.get(version) ?? 0).toBe(Math.round(weight * 100));
  expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(BUCKETS);
  expect(movedBuckets(before, after)).toBe(leastMoves(before, arms));
}

/** 1 to 4 of 6 versions with weights that add up to 100. */
const someArms: fc.Arbitrary<Arm[]> = fc
  .record({
    versions: fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 1, maxLength: 4 }),
    cuts: fc.array(fc.integer({ min: 0, max: BUCKETS }), { minLength: 3, maxLength: 3 }),
  })
  .map(({ versions, cuts }) => {
    const edges = [0, ...cuts.slice(0, versions.length - 1).toSorted((a, b) => a - b), BUCKETS];
    return versions.map((version, at) => ({ version, weight: bucketsWeight(edges[at + 1]! - edges[at]!) }));
  });

describe("compiled slots", () => {
  it("move exactly the minimum over a ramp with a second canary, and keep everybody who is on a canary", () => {
    const steps: [number, number][] = [
      [1, 0],
      [5, 0],
      [25, 0],
      [25, 10],
      [50, 10],
      [50, 25],
      [30, 25],
      [0, 25],
      [0, 100],
    ];
    let slots = WHOLE;
    for (const [two, three] of steps) {
      const arms = [
        { version: 1, weight: 100 - two - three },
        { version: 2, weight: two },
        { version: 3, weight: three },
      ];
      const next = compileSlots(slots, arms);
      expectGood(slots, arms, next);
      for (let bucket = 0; bucket < BUCKETS; bucket += 7) {
        const before = versionAt(slots, bucket);
        const grew = (countBuckets(next).get(before!) ?? 0) >= (countBuckets(slots).get(before!) ?? 0);
        if (grew) expect(versionAt(next, bucket)).toBe(before);
      }
      slots = next;
    }
    expect(soleOwner(slots)).toBe(3);
  });

  it("move exactly the minimum in 20,000 re-weightings, each from the one before, and stay few", () => {
    let slots = WHOLE;
    let most = 0;
    for (const arms of fc.sample(someArms, { numRuns: 20_000, seed: 4711 })) {
      const next = compileSlots(slots, arms);
      const fault = validateSlots(next);
      if (fault !== null) throw new Error(fault);
      let moved = 0;
      for (const slot of next) {
        for (const past of slots) {
          const shared = Math.min(slot.to, past.to) - Math.max(slot.from, past.from);
          if (shared > 0 && slot.version !== past.version) moved += shared;
        }
      }
      if (moved !== leastMoves(slots, arms)) throw new Error(`moved ${moved} for ${JSON.stringify(arms)}`);
      const counts = countBuckets(next);
      for (const arm of arms) {
        if ((counts.get(arm.version) ?? 0) !== Math.round(arm.weight * 100)) throw new Error("wrong share");
      }
      most = Math.max(most, next.length);
      slots = next;
    }
    expect(most).toBeLessThanOrEqual(10);
  });

  it("are a function of what was before and the arms, and leave their input alone", () => {
    fc.assert(
      fc.property(someArms, someArms, (before, after) => {
        const first = Object.freeze(compileSlots([], before).map((slot) => Object.freeze(slot))) as Slot[];
        const second = compileSlots(first, after);
        expect(compileSlots(first, after)).toEqual(second);
        expectGood(first, after, second);
        expect(compileSlots(second, after)).toEqual(second);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["behind", [1, 2]],
    ["in front", [2, 1]],
  ])(
    "grow and shrink a canary that lies %s where it borders, so that a plain ramp has two slots",
    (_name, [left, right]) => {
      let slots: Slot[] = [
        { version: left!, from: 0, to: 5000 },
        { version: right!, from: 5000, to: BUCKETS },
      ];
      for (const weight of [0.01, 1, 5, 25, 50, 99.99, 60, 3]) {
        slots = compileSlots(slots, [
          { version: 1, weight: 100 - weight },
          { version: 2, weight },
        ]);
        expect(slots).toHaveLength(2);
      }
    },
  );

  it.each([
    ["too little", [{ version: 1, weight: 99 }]],
    [
      "too much",
      [
        { version: 1, weight: 100 },
        { version: 2, weight: 1 },
      ],
    ],
    [
      "a part of a bucket",
      [
        { version: 1, weight: 99.995 },
        { version: 2, weight: 0.005 },
      ],
    ],
    [
      "one version twice",
      [
        { version: 1, weight: 50 },
        { version: 1, weight: 50 },
      ],
    ],
    ["no arms", []],
  ])("refuse weights that are a bug: %s", (_name, arms) => {
    expect(() => compileSlots(WHOLE, arms)).toThrow(RangeError);
  });
});

describe("a weight", () => {
  it("is a number of buckets and back, for every step of 0.01 %", () => {
    for (let buckets = 0; buckets <= BUCKETS; buckets++) {
      expect(weightBuckets(bucketsWeight(buckets))).toBe(buckets);
      expect(
        weightBuckets(Number(`${Math.floor(buckets / 100)}.${String(buckets % 100).padStart(2, "0")}`)),
      ).toBe(buckets);
    }
  });

  it.each([-0.01, 100.01, 0.005, 33.333, Number.NaN, Number.POSITIVE_INFINITY, -1e-3])(
    "is refused: %d",
    (weight) => {
      expect(weightBuckets(weight)).toBeNull();
    },
  );

  it("of minus zero is zero", () => {
    expect(Object.is(weightBuckets(-0), 0)).toBe(true);
  });
});

describe("a table of slots", () => {
  const three: Slot[] = [
    { version: 1, from: 0, to: 10 },
    { version: 2, from: 10, to: 20 },
    { version: 1, from: 20, to: BUCKETS },
  ];

  it("answers for the edges of each slot", () => {
    expect([0, 9, 10, 19, 20, BUCKETS - 1].map((bucket) => versionAt(three, bucket))).toEqual([
      1, 1, 2, 2, 1, 1,
    ]);
    expect(versionAt([], 0)).toBeNull();
  });

  it("has one owner only where there is one slot", () => {
    expect([soleOwner(WHOLE), soleOwner(three), soleOwner([])]).toEqual([1, null, null]);
  });

  it("merges neighbours when an heir takes over", () => {
    expect(replaceOwner(three, 2, 1)).toEqual(WHOLE);
    expect(replaceOwner(three, 7, 1)).toEqual(three);
  });

  it("is alike in effect whatever the salt only under one owner", () => {
    expect(sameEffect({ salt: "a", slots: WHOLE }, { salt: "b", slots: WHOLE })).toBe(true);
    expect(sameEffect({ salt: "a", slots: three }, { salt: "b", slots: three })).toBe(false);
    expect(sameEffect({ salt: "a", slots: three }, { salt: "a", slots: structuredClone(three) })).toBe(true);
    expect(sameEffect({ salt: "a", slots: three }, { salt: "a", slots: WHOLE })).toBe(false);
  });

  it.each([
    ["nothing", []],
    ["a gap at the start", [{ version: 1, from: 1, to: BUCKETS }]],
    ["a gap at the end", [{ version: 1, from: 0, to: BUCKETS - 1 }]],
    ["an end too far", [{ version: 1, from: 0, to: BUCKETS + 1 }]],
    [
      "an overlap",
      [
        { version: 1, from: 0, to: 20 },
        { version: 2, from: 10, to: BUCKETS },
      ],
    ],
    [
      "an empty slot",
      [
        { version: 2, from: 0, to: 0 },
        { version: 1, from: 0, to: BUCKETS },
      ],
    ],
    [
      "a broken number",
      [
        { version: 2, from: 0, to: 0.5 },
        { version: 1, from: 0.5, to: BUCKETS },
      ],
    ],
    [
      "unmerged neighbours",
      [
        { version: 1, from: 0, to: 5 },
        { version: 1, from: 5, to: BUCKETS },
      ],
    ],
  ])("is found out when it is no partition: %s", (_name, slots) => {
    expect(validateSlots(slots)).not.toBeNull();
    expect(validateSlots(WHOLE)).toBeNull();
  });
});
