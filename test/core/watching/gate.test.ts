// The proof that a ramp waits for, through an incident: what was seen while everybody had trouble neither counts for the
// canary nor stands in its way for ever.

import { expect, it } from "vitest";
import { createRelease, Watched } from "./support.ts";

const NEVER_FAILS = { baseline: { errors: 0 }, canary: { errors: 0 } };
const BROKEN = { baseline: { errors: 0.4 }, canary: { errors: 0.4 } };
const BUSY = { requests: 500 };

/** Until the incident is over for the detector, too. */
function heal(watched: Watched): void {
  for (let second = 0; second < 200; second += 1) {
    if (watched.run(1, NEVER_FAILS, BUSY).verdict !== "upstream") return;
  }
  throw new Error("the incident does not come to an end");
}

it("a canary that never fails is proven safe after an incident, too, by what came after it", () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const watched = new Watched(createRelease(1, { 2: 20 }), seed);
    watched.run(4, NEVER_FAILS, BUSY);
    // Long enough to lose every bet on few failures, and too short to prove much about the arms' odds.
    const frozen = watched.run(5, BROKEN, { requests: 100 });
    expect(frozen).toMatchObject({ verdict: "upstream", isFrozen: true });
    heal(watched);
    const found = watched.run(30, NEVER_FAILS, BUSY);
    expect(found.pairs[0]!.gate.isOpen, `seed ${seed}`).toBe(true);
  }
});

it("the end of an incident begins the proof anew: a gate that was open is shut until the canary was seen without it", () => {
  const watched = new Watched(createRelease(1, { 2: 20 }));
  expect(watched.run(12, NEVER_FAILS, BUSY).pairs[0]!.gate.isOpen).toBe(true);
  watched.run(2, BROKEN);
  heal(watched);
  expect(watched.run(1, NEVER_FAILS).pairs[0]!.gate.isOpen).toBe(false);
  expect(watched.run(20, NEVER_FAILS, BUSY).pairs[0]!.gate.isOpen).toBe(true);
});
