// Handlers of ramps: bodies to commands. A step has no call here: only the ramp itself takes one.

import { isProblem } from "../core/problem.ts";
import { executeCommand, type Handlers } from "./call.ts";
import type { rampOperations } from "./ramp-operations.ts";
import { callControl } from "./stubs.ts";

export const rampHandlers: Handlers<typeof rampOperations> = {
  async getRamp({ env, params, query }) {
    const release = await callControl(env, params.prompt, (control) =>
      control.readRelease(query.environment),
    );
    if (isProblem(release)) return release;
    const { prompt, environment, revision, ramp = null } = release;
    return { status: 200, body: { prompt, environment, revision, ramp }, revision };
  },

  startRamp(call) {
    const { version, environment, reason, ...plan } = call.body;
    return executeCommand(call, call.params.prompt, { type: "ramp", environment, version, plan, reason });
  },

  pauseRamp: (call) => executeCommand(call, call.params.prompt, { type: "ramp_pause", ...call.body }),
  resumeRamp: (call) => executeCommand(call, call.params.prompt, { type: "ramp_resume", ...call.body }),
  stopRamp: (call) => executeCommand(call, call.params.prompt, { type: "ramp_stop", ...call.body }),
};
