// The tests of one SDK: every scenario, directly and through the proxy.

import { describe, expect, test } from "vitest";
import { until } from "../support/wait.ts";
import type { Client } from "./clients/client.ts";
import { callBothWays, type Comparison, expectSame } from "./compare.ts";
import { type Rig } from "./rig.ts";
import { RETRY_AFTER_MS, type Scenario, SCENARIOS, standInOf } from "./scenarios.ts";

declare module "vitest" {
  /** Which cell of the matrix a test fills. */
  interface TaskMeta {
    client?: string;
    scenario?: string;
  }
}

/** A departure reaches the provider within this time. */
const LEAVE_DEADLINE_MS = 1_000;
/** Timers may fire a little early. */
const EARLY_MS = 50;

export function compareAll(rig: Rig, clients: Client[]): void {
  describe.each(clients.map((client) => [client.name, client] as const))("%s", (_, client) => {
    for (const scenario of SCENARIOS) {
      const call = scenario.call(client);
      if (typeof call !== "function") continue;
      test(scenario.name, { meta: { client: client.name, scenario: scenario.name } }, async () => {
        rig.play(...scenario.play(standInOf(client)));
        const compared = await callBothWays(rig, `/${client.provider}`, call);
        if (scenario.leaves === true) await untilBothAreLeft(rig);
        await expectSame(rig, compared);
        expectAsMeant(compared, scenario, client);
      });
    }
  });
}

async function untilBothAreLeft({ direct, behind }: Rig): Promise<void> {
  for (const provider of [direct, behind]) {
    await until(() => provider.exchanges().at(-1)?.clientClosed, LEAVE_DEADLINE_MS);
  }
}

/** Both ways are alike; they are also what the scenario is about. */
function expectAsMeant({ proxied, calls, waitedMs }: Comparison, scenario: Scenario, client: Client): void {
  if (scenario.ends !== null) expect(proxied).toHaveProperty(scenario.ends);
  if (scenario.raises !== undefined)
    expect(proxied).toMatchObject({ error: { class: scenario.raises(client) } });
  if (scenario.retries === undefined) return;
  const meant = scenario.retries(client);
  expect(calls).toBe(meant.calls);
  if (meant.waits === undefined) return;
  for (const pauseMs of waitedMs) expect(pauseMs >= RETRY_AFTER_MS - EARLY_MS).toBe(meant.waits);
}
