// The real objects when something is amiss around them. Guarantees: a prompt does not need the Registry to go on; a
// deployment never breaks a promise that it found; asking about what does not exist leaves nothing behind.

import { expect, test } from "vitest";
import type { RollbackAnswer } from "../../src/core/ports.ts";
import { until } from "../support/wait.ts";
import { createSync, createTally } from "./support/prompts.ts";
import { startRuntime, type Runtime } from "./support/runtime.ts";
import { createSender, promote, push, put, rollback } from "./support/sender.ts";

let runtime: Runtime;

const { send, act, createTwoVersions } = createSender(() => runtime);

test("while the Registry is down prompts go on as ever, no name is given away, and the list catches up", async () => {
  runtime = await startRuntime();
  try {
    await createTwoVersions("lasting");
    await act("lasting", promote);
    await runtime.restart({ REGISTRY_DOWN: "true" });
    await act("lasting", put({ description: "changed meanwhile" }));
    await act("lasting", push("Three."));
    expect(await act("lasting", rollback)).toMatchObject({ body: { from: 2, to: 1 } });
    expect(await send("lasting", put({ aliases: ["pmpt_9"] }))).toMatchObject({
      problem: "release_unavailable",
    });
    expect(await send("new", put())).toMatchObject({ problem: "release_unavailable" });
    expect(await runtime.control("new").readPrompt()).toMatchObject({ problem: "prompt_not_found" });
    expect(await runtime.registry.list({ includeArchived: false })).toMatchObject([{ latestVersion: 2 }]);
    await runtime.restart({});
    await until(async () => {
      const [listed] = await runtime.registry.list({ includeArchived: false });
      return listed?.description === "changed meanwhile" && listed.latestVersion === 3;
    }, 20_000);
  } finally {
    await runtime.stop();
  }
});

test("the promise of a rollback covers the longer lease of the deployment before", async () => {
  runtime = await startRuntime({ LEASE_MS: "30000", DRAIN_MS: "1000" });
  try {
    await createTwoVersions("leased");
    await act("leased", promote);
    expect(await runtime.control("leased").sync(createSync({ prompt: "leased" }))).toMatchObject({
      lease: { leaseMs: 30_000 },
    });
    const grantedBeforeMs = Date.now();
    await runtime.restart({ LEASE_MS: "500", LEASE_SOFT_MS: "100" });
    expect(await runtime.control("leased").sync(createSync({ prompt: "leased" }))).toMatchObject({
      lease: { softMs: 100, leaseMs: 500 },
    });
    const { body } = await act("leased", rollback);
    const { committedAt, enforcedBy } = body as RollbackAnswer;
    expect(Date.parse(enforcedBy)).toBeGreaterThanOrEqual(grantedBeforeMs + 30_000);
    expect(Date.parse(enforcedBy)).toBeLessThan(Date.parse(committedAt) + 31_000);
  } finally {
    await runtime.stop();
  }
});

test("asking about a prompt that does not exist leaves no storage", async () => {
  runtime = await startRuntime();
  const nobody = runtime.control("nobody");
  const answers = [
    await nobody.sync(
      createSync({
        prompt: "nobody",
        report: { sequence: 1, tallies: [createTally()] },
        began: [{ conversation: "c", revision: 1 }],
      }),
    ),
    await nobody.readPrompt(),
    await nobody.readVersions(),
    await nobody.readVersion(1),
    await nobody.readCompiled(1),
    await nobody.readRelease("production"),
    await nobody.readRouting("production"),
    await nobody.readRevisions("production", 1, null),
    await nobody.readTallies("production"),
    await nobody.readEnvironments(),
    await nobody.execute({
      prompt: "nobody",
      command: rollback,
      actor: { name: "ada", role: "admin" },
      ifMatch: null,
      idempotency: { key: "k", fingerprint: "f" },
    }),
  ];
  for (const answer of answers) expect(answer).toMatchObject({ problem: "prompt_not_found" });
  expect(await nobody.began("production", "c")).toBeNull();
  expect(await runtime.stopAndListTables()).toEqual([[]]);
});
