// Handlers of releases, the audit log, explain and metrics. A rollback that waits is the only call that takes longer
// than its work: it answers when the promise `enforcedBy` has come true.

import { explainAssignment } from "../core/assign.ts";
import type { RollbackAnswer } from "../core/ports.ts";
import { isProblem, type Problem } from "../core/problem.ts";
import { answerWith, executeCommand, type Call, type Handlers, type Reply } from "./call.ts";
import { readMetricsQuery } from "./metrics.ts";
import { matchesIfNoneMatch } from "./preconditions.ts";
import type { releaseOperations } from "./release-operations.ts";
import { callControl } from "./stubs.ts";

type Rollback = Call<(typeof releaseOperations)["rollback"]>;

export const releaseHandlers: Handlers<typeof releaseOperations> = {
  async getRelease({ env, params, query, ifNoneMatch }) {
    const release = await callControl(env, params.prompt, (control) =>
      control.readRelease(query.environment),
    );
    if (isProblem(release)) return release;
    const { revision } = release;
    if (matchesIfNoneMatch(ifNoneMatch, revision)) return { status: 304, body: null, revision };
    return { status: 200, body: release, revision };
  },

  canary: (call) => executeCommand(call, call.params.prompt, { type: "canary", ...call.body }),

  promote: (call) => executeCommand(call, call.params.prompt, { type: "promote", ...call.body }),

  rollback: rollBack,

  async listEnvironments({ env, params }) {
    return callControl(env, params.prompt, async (control, prompt) => {
      const environments = await control.readEnvironments();
      return isProblem(environments) ? environments : answerWith({ prompt, environments });
    });
  },

  async listRevisions({ env, params, query }) {
    const { environment, limit, before } = query;
    return callControl(env, params.prompt, async (control, prompt) => {
      const revisions = await control.readRevisions(environment, limit, before ?? null);
      if (isProblem(revisions)) return revisions;
      const last = revisions.at(-1)?.revision ?? 0;
      const nextBefore = revisions.length === limit && last > 1 ? last : null;
      return answerWith({ prompt, environment, revisions, nextBefore });
    });
  },

  async explain({ env, params, query }) {
    const { environment, key } = query;
    const release = await callControl(env, params.prompt, (control) => control.readRouting(environment));
    if (isProblem(release)) return release;
    const explanation = explainAssignment(release, key, Date.now());
    return isProblem(explanation) ? explanation : answerWith(explanation);
  },

  async getMetrics({ env, params, query }) {
    const { environment, window, step } = query;
    const asked = readMetricsQuery({ ...(window && { window }), ...(step && { step }) });
    if (isProblem(asked)) return asked;
    return callControl(env, params.prompt, async (control, prompt) => {
      const metrics = await control.readMetrics(environment, asked);
      return isProblem(metrics) ? metrics : answerWith({ prompt, ...metrics });
    });
  },
};

async function rollBack(call: Rollback): Promise<Reply | Problem> {
  const { wait, ...command } = call.body;
  const reply = await executeCommand(call, call.params.prompt, { type: "rollback", ...command });
  if (wait && !isProblem(reply)) {
    const heardMs = Date.now();
    await waitUntil(heardMs + enforcedInMs(reply.body as RollbackAnswer, heardMs));
  }
  return reply;
}

/** No lease is longer; a promise that is reaches back to an earlier deployment's leases or an earlier rollback. */
const LONGEST_LEASE_MS = 60_000;

/**
 * How long to wait from hearing of a rollback on, as far as it is not enforced yet. The times in the answer are those of
 * the object's clock, which may be behind ours by much of a lease; so what is waited for is the lease itself, in whole.
 */
export function enforcedInMs({ committedAt, enforcedBy }: RollbackAnswer, heardMs: number): number {
  const enforcedByMs = Date.parse(enforcedBy);
  if (enforcedByMs <= heardMs) return 0;
  return Math.min(enforcedByMs - Date.parse(committedAt), LONGEST_LEASE_MS);
}

/** A timer may fire a millisecond early, hence the loop. */
async function waitUntil(timeMs: number): Promise<void> {
  for (let restMs = timeMs - Date.now(); restMs > 0; restMs = timeMs - Date.now()) {
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}
