// What a scenario is about, beyond that both ways are alike: it ends as it is meant to, the provider is asked as often as
// it should be, and knows when the application has left.

import { expect } from "vitest";
import { until } from "../support/wait.ts";
import type { Client } from "./clients/client.ts";
import type { Comparison } from "./compare.ts";
import type { Rig } from "./rig.ts";
import { RETRY_AFTER_MS, type Scenario } from "./scenarios.ts";

/** A departure reaches the provider within this time. */
const LEAVE_DEADLINE_MS = 1_000;
/** Timers may fire a little early. */
const EARLY_MS = 50;

export async function untilBothAreLeft({ direct, behind }: Rig): Promise<void> {
  for (const provider of [direct, behind]) {
    await until(() => provider.exchanges().at(-1)?.clientClosed, LEAVE_DEADLINE_MS);
  }
}

export function expectAsMeant(
  { proxied, calls, waitedMs }: Comparison,
  scenario: Scenario,
  client: Client,
): void {
  if (scenario.ends !== null) expect(proxied).toHaveProperty(scenario.ends);
  if (scenario.raises !== undefined)
    expect(proxied).toMatchObject({ error: { class: scenario.raises(client) } });
  if (scenario.retries === undefined) return;
  const meant = scenario.retries(client);
  expect(calls).toBe(meant.calls);
  if (meant.waits === undefined) return;
  for (const pauseMs of waitedMs) expect(pauseMs >= RETRY_AFTER_MS - EARLY_MS).toBe(meant.waits);
}
