// A finished call goes out to whoever watches from outside: a log line, and a point of Analytics Engine where that is
// bound. Guarantee: neither can fail a request or delay it; both are over when this returns, and neither waits.

import type { Env } from "../env.ts";
import type { CallRecord } from "./call-record.ts";
import { toDataPoint } from "./data-point.ts";
import { describeCall, isLogged } from "./log-line.ts";

/** Never throws. Each of the two is written even where the other cannot be. */
export function emitRecord(record: CallRecord, env: Env): void {
  try {
    if (isLogged(env.LOG_REQUESTS, record)) console.log(JSON.stringify(describeCall(record)));
  } catch {
    // Whoever made the record unreadable has the answer none the less.
  }
  try {
    env.ANALYTICS?.writeDataPoint(toDataPoint(record));
  } catch {
    // The platform refuses more than 250 points an invocation; the tallies count them all the same.
  }
}
