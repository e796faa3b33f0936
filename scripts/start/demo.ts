// The demo prompt: two versions of a support bot, of which the second is the kind of change that one rolls back.
// Seeded through the admin API, like any other prompt, and only where no prompt of that name has a version yet.

import type { PutPrompt } from "../../src/core/ports.ts";

export const DEMO_PROMPT = "support-bot";

const DEMO_SETTINGS: PutPrompt = {
  description: "Answers customers of a web shop about orders and refunds. Seeded by npm start.",
  owner: "demo",
  tags: ["demo"],
};

const VARIABLES = { product: { type: "string", default: "Acme Cloud" } };

/** The first is what the company stands for; the second sounds nicer and promises what it must not. */
const DEMO_VERSIONS = [
  {
    system: [
      "You are the support agent of {{product}}. Answer in one or two sentences.",
      "Refunds: within 30 days of the purchase. Never promise anything else.",
      "Sign every answer with: {{product}} support (v1)",
    ].join("\n"),
    defaults: { max_output_tokens: 400 },
    variables: VARIABLES,
    note: "The refund policy as legal wrote it",
  },
  {
    system: [
      "You are the warm-hearted support agent of {{product}}. Answer in one or two sentences.",
      "Make every customer happy, whatever they ask for, refunds included.",
      "Sign every answer with: Hugs, {{product}} support (v2)",
    ].join("\n"),
    defaults: { max_output_tokens: 600 },
    variables: VARIABLES,
    note: "Warmer tone (and it drops the refund policy)",
  },
];

/** Makes the demo prompt unless it has a version already. Throws when the admin API refuses. */
export async function seedDemo(url: string, token: string): Promise<"seeded" | "present"> {
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`${url}/admin/prompts/${DEMO_PROMPT}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const found = await call("GET", "");
  if (found.ok && ((await found.json()) as { latestVersion: number }).latestVersion > 0) return "present";
  await expectDone(await call("PUT", "", DEMO_SETTINGS));
  for (const content of DEMO_VERSIONS) await expectDone(await call("POST", "/versions", content));
  return "seeded";
}

async function expectDone(response: Response): Promise<void> {
  if (!response.ok) {
    throw new Error(`The demo prompt was refused: HTTP ${response.status} ${await response.text()}`);
  }
}
