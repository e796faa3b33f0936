// The release as users see it.

import { describe, expect, it } from "vitest";
import { viewRelease } from "../../src/core/release-view.ts";
import { command, DRAIN_MS, lifeWith, type Life } from "./decide-support.ts";

function draining(life: Life): unknown {
  const view = viewRelease(life.state!, "production", life.nowMs);
  if ("problem" in view) throw new Error(view.message);
  return view.draining;
}

describe("the view of a release", () => {
  it("says what each arm is, and who changed it last, why", () => {
    const life = lifeWith(3);
    life.do(command.revoke(3, "no"), command.canary(2, 5, { reason: "try" }));
    const at = (version: number): string => life.state!.versions[version - 1]!.createdAt;
    expect(viewRelease(life.state!, "production")).toEqual({
      prompt: "support-bot",
      environment: "production",
      revision: 3,
      unit: "conversation",
      baseline: 1,
      arms: [
        {
          version: 1,
          weight: 95,
          arm: "baseline",
          digest: "digest-1",
          versionCreatedAt: at(1),
          note: "note 1",
        },
        { version: 2, weight: 5, arm: "canary", digest: "digest-2", versionCreatedAt: at(2), note: "note 2" },
      ],
      draining: [{ version: 1, until: new Date(life.nowMs + DRAIN_MS).toISOString() }],
      revoked: [3],
      changedAt: new Date(life.nowMs).toISOString(),
      changedBy: "ada",
      action: "canary",
      reason: "try",
    });
  });

  it("lists as draining the versions that conversations are held back on, until the last of them is free", () => {
    const life = lifeWith(3);
    expect(draining(life)).toEqual([]);
    life.do(command.canary(2, 50));
    life.do(command.rollback({ mode: "drain" }));
    const until = new Date(life.nowMs + DRAIN_MS).toISOString();
    expect(draining(life)).toEqual([{ version: 2, until }]);
    life.do(command.canary(3, 10), command.canary(3, 20));
    expect(draining(life)).toEqual([
      { version: 1, until: new Date(life.nowMs + DRAIN_MS).toISOString() },
      { version: 2, until },
    ]);
    life.wait(DRAIN_MS);
    expect(draining(life)).toEqual([]);
  });

  it("lists as draining a version that has the same buckets again, but of other users", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 50), command.rollback({ mode: "drain" }));
    const until = new Date(life.nowMs + DRAIN_MS).toISOString();
    life.do(command.canary(2, 50));
    expect(draining(life)).toContainEqual({ version: 2, until });
  });

  it("of requests, which have no later turns, drains nothing", () => {
    const life = lifeWith(2);
    life.do(command.put({ unit: "request" }), command.canary(2, 50), command.rollback({ mode: "drain" }));
    expect(draining(life)).toEqual([]);
  });

  it("of an environment without a release says where there are some", () => {
    const missing = viewRelease(lifeWith(1).state!, "staging");
    expect(missing).toMatchObject({ problem: "environment_not_found", field: "environment" });
    expect(missing).toHaveProperty("message", expect.stringContaining("only in production"));
    expect(viewRelease(lifeWith(1).state!, "constructor")).toMatchObject({
      problem: "environment_not_found",
    });
  });
});
