// The tests of one SDK with a key of ours in the place of the provider's: the provider gets the secret that the Worker
// holds, in its own header, and never the key.

import { describe, expect, test } from "vitest";
import { headerOf } from "../support/http-messages.ts";
import { verifySignature } from "../support/sigv4.ts";
import type { Exchange } from "../support/tap.ts";
import type { Call, Client } from "./clients/client.ts";
import { cellOf, PROMPT_CELLS } from "./prompts.ts";
import { HELD, type Rig } from "./rig.ts";
import { standInOf } from "./scenarios.ts";

/** Which header of each provider carries the secret that the Worker holds; Bedrock's is a signature. */
const CREDENTIALS = {
  openai: ["authorization", `Bearer ${HELD.OPENAI_API_KEY}`],
  anthropic: ["x-api-key", HELD.ANTHROPIC_API_KEY],
  gemini: ["x-goog-api-key", HELD.GEMINI_API_KEY],
} as const;

export function keyAll(rig: Rig, clients: Client[]): void {
  describe.each(clients.map((client) => [client.name, client] as const))(
    "%s, with a key of ours",
    (_, client) => {
      test(PROMPT_CELLS.key, cellOf(client, "key"), async () => {
        for (const name of ["chat", "stream"] as const) {
          const call = client.calls[name] as Call;
          rig.play(standInOf(client).answer);
          const { provider } = client;
          const proxied = await call(`${rig.front.url}/${provider}`, { retries: 0, key: rig.proxyKey });
          expect(proxied).toEqual(await call(rig.direct.url, { retries: 0 }));
          const [reached] = rig.behind.exchanges();
          expect(JSON.stringify(reached!.request.headers)).not.toContain("sb_");
          if (provider === "bedrock") expectSigned(reached!);
          else expect(headerOf(reached!.request, CREDENTIALS[provider][0])).toBe(CREDENTIALS[provider][1]);
        }
      });
    },
  );
}

/** As AWS would check it, by the secret that the Worker holds. */
export function expectSigned({ request }: Exchange): void {
  const verdict = verifySignature(request, HELD.AWS_SECRET_ACCESS_KEY);
  expect(verdict).toMatchObject({
    valid: true,
    accessKeyId: HELD.AWS_ACCESS_KEY_ID,
    region: HELD.AWS_REGION,
    service: "bedrock",
  });
}
