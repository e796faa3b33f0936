// The tests of one SDK: every scenario, directly and through the proxy.

import { describe, test } from "vitest";
import type { Client } from "./clients/client.ts";
import { callBothWays, expectSame } from "./compare.ts";
import { expectAsMeant, untilBothAreLeft } from "./expected.ts";
import { type Rig } from "./rig.ts";
import { SCENARIOS, standInOf } from "./scenarios.ts";

declare module "vitest" {
  /** Which cell of the matrix a test fills. */
  interface TaskMeta {
    client?: string;
    scenario?: string;
  }
}

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
