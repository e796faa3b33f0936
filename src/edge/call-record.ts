// One call to a provider that carried a version, as plain data, once it is over: what the log line and the Analytics Engine
// point are made of. It holds no text of a prompt or an answer, no key and no query string, so neither can leak them.

import type { Outcome, Stamp } from "../core/metering/outcome.ts";

export type CallRecord = {
  /** The random id of the logs, as in `Prompt-Request-Id`. */
  requestId: string;
  prompt: string;
  environment: string;
  provider: string;
  /** null: the caller or the version names none that we could read. */
  askedModel: string | null;
  stamp: Stamp;
  outcome: Outcome;
  streams: boolean;
};
