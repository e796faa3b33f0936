// An SDK that tries again asks the same question again: whatever stickiness is keyed on, all attempts at one request get
// the same version, and different requests of unit `request` still get both.

import { describe, expect, test } from "vitest";
import type { Unit } from "../../src/core/types.ts";
import { json } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { completion, message, MODEL as model } from "./sdk-replies.ts";
import { anthropic, openai, useRig } from "./sdk-rig.ts";

const rig = useRig();
const CALLS = 24;
const FAILED = json(
  { error: { message: "again", type: "server_error" } },
  { status: 500, headers: [["retry-after-ms", "1"]] },
);

const clients = {
  openai: {
    good: json(completion),
    ask: (prompt: string, content: string): Promise<unknown> =>
      openai(rig.clients.upstream, { prompt, maxRetries: 1 }).chat.completions.create({
        model,
        messages: [{ role: "user", content }],
      }),
  },
  anthropic: {
    good: json(message),
    ask: (prompt: string, content: string): Promise<unknown> =>
      anthropic(rig.clients.upstream, { prompt, maxRetries: 1 }).messages.create({
        model,
        max_tokens: 9,
        messages: [{ role: "user", content }],
      }),
  },
};

/** Half and half, and no shield: a failure is the SDK's to try again. */
async function createSplit(unit: Unit): Promise<string> {
  const prompt = `split-by-${unit}`;
  await rig.admin.put(prompt, { unit, shield: false });
  await rig.admin.push(prompt, { system: "VERSION-ONE" });
  await rig.admin.push(prompt, { system: "VERSION-TWO" });
  await rig.admin.canary(prompt, 2, 50, { transition: "now" });
  return prompt;
}

function versionsSeen(): (string | undefined)[] {
  return rig.upstream.exchanges().map(({ request }) => /VERSION-\w+/.exec(request.body.toString())?.[0]);
}

describe.each(["conversation", "user", "request"] as const)("sticky per %s", (unit) => {
  test.each(Object.entries(clients))("%s: both attempts get one version", async (name, { good, ask }) => {
    const prompt = await createSplit(unit);
    const served = new Set<string | undefined>();
    for (let call = 0; call < CALLS; call += 1) {
      rig.upstream.play(FAILED, good);
      await ask(prompt, `question ${"x".repeat(call)} of ${name}`);
      await until(() => rig.upstream.exchanges().length === 2);
      const [first, second] = versionsSeen();
      expect(second).toBe(first);
      served.add(first);
    }
    expect(served).toEqual(new Set(["VERSION-ONE", "VERSION-TWO"]));
  });
});
