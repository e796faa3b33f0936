// The runtime is killed in the instant after an answer, with other calls under way, and started again on its storage.

import { expect, test } from "vitest";
import type { Accepted, Command } from "../../src/core/ports.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { checkHistory } from "../../src/core/replay.ts";
import type { Release } from "../../src/core/types.ts";
import { until } from "../support/wait.ts";
import { createSync, createTally } from "./support/prompts.ts";
import { startRuntime, type Runtime } from "./support/runtime.ts";

const PROMPT = "killed";

function send(runtime: Runtime, key: string, command: Command): Promise<Accepted | Problem> {
  return runtime.control(PROMPT).execute({
    prompt: PROMPT,
    command,
    actor: { name: "ada", role: "admin" },
    ifMatch: null,
    idempotency: { key, fingerprint: JSON.stringify(command) },
  });
}

function createCanary(weight: number): Command {
  return { type: "canary", environment: "production", version: 2, weight, transition: "now", reason: "" };
}

type Sent = { command: Command; answer: Accepted | Problem };

const KILLS = 6;
const AT_ONCE = 40;

test("nothing that was answered is lost, nothing happens twice, and KV catches up (6 kills)", async () => {
  const runtime = await startRuntime();
  try {
    await send(runtime, "put", { type: "put", settings: { aliases: ["pmpt_k"] } });
    for (const system of ["One.", "Two."]) await send(runtime, system, { type: "push", content: { system } });
    const answered = new Map<string, Sent>();
    let cutOff = 0;
    for (let round = 0; round < KILLS; round += 1) {
      const weights = Array.from({ length: AT_ONCE }, (_, index) => round + (index + 1) / 100);
      const commands = weights.map((weight) => [`weight ${weight}`, createCanary(weight)] as const);
      await killAfter(1 + round, runtime, commands, answered);
      for (const [key, command] of commands) {
        const answer = await send(runtime, key, command);
        if (answered.has(key)) expect(answer).toEqual(answered.get(key)!.answer);
        else cutOff += 1;
        answered.set(key, { command, answer });
      }
    }
    expect(cutOff).toBeGreaterThan(0);
    await expectAllThere(runtime, KILLS * AT_ONCE);
  } finally {
    await runtime.stop();
  }
});

/** Sends all at once and kills the runtime on the `count`th answer; what becomes of the others is not heard. */
async function killAfter(
  count: number,
  runtime: Runtime,
  commands: (readonly [string, Command])[],
  answered: Map<string, Sent>,
): Promise<void> {
  const calls: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    let heard = 0;
    const hear = (key: string, command: Command, answer: Sent["answer"] | null): void => {
      if (answer === null) return;
      answered.set(key, { command, answer });
      heard += 1;
      if (heard === count) resolve();
    };
    for (const [key, command] of commands) {
      const answer = send(runtime, key, command).catch(() => null);
      calls.push(answer.then((heardAnswer) => hear(key, command, heardAnswer)));
    }
  });
  await runtime.restart();
  await Promise.all(calls);
}

async function expectAllThere(runtime: Runtime, commands: number): Promise<void> {
  const control = runtime.control(PROMPT);
  const history = await control.readRevisions("production", 1_000, null);
  if (isProblem(history)) throw new Error(history.message);
  expect(checkHistory(history)).toEqual([]);
  expect(history).toHaveLength(1 + commands);
  const weights = history.map(({ after }) => after.arms[1]?.weight ?? 0);
  expect(new Set(weights).size).toBe(1 + commands);
  const release = await control.readRouting("production");
  expect(release).toEqual(history[0]!.after);
  await until(
    async () =>
      ((await runtime.readStore(`release:${PROMPT}:production`)) as Release | null)?.revision ===
      1 + commands,
    10_000,
  );
  expect(await runtime.readStore(`version:${PROMPT}:2`)).toEqual(await control.readCompiled(2));
  expect(await runtime.readStore("alias:pmpt_k")).toEqual({ prompt: PROMPT });
  expect(await runtime.registry.list({ includeArchived: false })).toEqual([await control.readPrompt()]);
}

test("a report that was acknowledged before a kill is counted once after it", async () => {
  const runtime = await startRuntime();
  try {
    await send(runtime, "put", { type: "put", settings: {} });
    await send(runtime, "push", { type: "push", content: { system: "One." } });
    for (let sequence = 1; sequence <= 3; sequence += 1) {
      const request = createSync({ prompt: PROMPT, report: { sequence, tallies: [createTally()] } });
      expect(await runtime.control(PROMPT).sync(request)).toMatchObject({ acceptedSequence: sequence });
      await runtime.restart();
      expect(await runtime.control(PROMPT).sync(request)).toMatchObject({ acceptedSequence: sequence });
    }
    expect(await runtime.control(PROMPT).readTallies("production")).toEqual([createTally({ requests: 3 })]);
  } finally {
    await runtime.stop();
  }
});
