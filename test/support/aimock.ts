// A provider that behaves: @copilotkit/aimock behind a tap. aimock's own journal rewrites what it received, and it
// answers on nearly any path, so what went up is asserted at the tap, and paths too.

import { LLMock } from "@copilotkit/aimock";
import { type Exchange, startTap } from "./tap.ts";

export type Aimock = {
  /** Fixtures go in here (`.on`, `.onMessage`, …). */
  mock: LLMock;
  url: string;
  exchanges(): Exchange[];
  /** Forgets what the tap recorded; fixtures stay. */
  clear(): void;
  stop(): Promise<void>;
};

/** With `apiKeys`, any other key is answered 401. */
export async function startAimock(apiKeys?: string[]): Promise<Aimock> {
  const mock = new LLMock({
    port: 0,
    host: "127.0.0.1",
    ...(apiKeys !== undefined && { auth: { apiKeys } }),
  });
  await mock.start();
  const tap = await startTap(mock.port);
  return {
    mock,
    url: tap.url,
    exchanges: tap.exchanges,
    clear: tap.clear,
    async stop() {
      await tap.stop();
      await mock.stop();
    },
  };
}
