// The tests of one SDK: every scenario, directly and through the proxy.

import { describe, expect, test } from "vitest";
import { until } from "../support/wait.ts";
import type { Client } from "./clients/client.ts";
import { callBothWays, expectSame } from "./compare.ts";
import { type Rig } from "./rig.ts";
import { SCENARIOS, standInOf } from "./scenarios.ts";

declare module "vitest" {
  /** Which cell of the matrix a test fills. */
  interface TaskMeta {
    client?: string;
    scenario?: string;
  }
}

/** A departure reaches the provider within this time. */
const LEAVE_DEADLINE_MS = 1_000;

export function compareAll(rig: Rig, clients: Client[]): void {
  describe.each(clients.map((client) => [client.name, client] as const))("%s", (_, client) => {
    for (const scenario of SCENARIOS) {
      const call = scenario.call(client);
      if (typeof call !== "function") continue;
      test(scenario.name, { meta: { client: client.name, scenario: scenario.name } }, async () => {
        rig.play(...scenario.play(standInOf(client)));
        const compared = await callBothWays(rig, `/${client.provider}`, call);
        if (scenario.leaves === true) {
          for (const provider of [rig.direct, rig.behind]) {
            await until(() => provider.exchanges().at(-1)?.clientClosed, LEAVE_DEADLINE_MS);
          }
        }
        await expectSame(rig, compared);
        if (scenario.ends !== null) expect(compared.proxied).toHaveProperty(scenario.ends);
        const [straightMs = 0, proxiedMs = 0] = compared.waitedMs;
        expect(proxiedMs >= 950).toBe(straightMs >= 950);
        if (scenario.raises !== undefined)
          expect(compared.proxied).toMatchObject({ error: { class: scenario.raises(client) } });
      });
    }
  });
}
