// Handlers of the watch over a release: what Control says, as it is.

import { isProblem } from "../core/problem.ts";
import { answerWith, type Handlers } from "./call.ts";
import { readDiagnosedWindow } from "./metrics.ts";
import { callControl } from "./stubs.ts";
import type { watchOperations } from "./watch-operations.ts";

export const watchHandlers: Handlers<typeof watchOperations> = {
  async getHealth({ env, params, query }) {
    const health = await callControl(env, params.prompt, (control) => control.readHealth(query.environment));
    return isProblem(health) ? health : answerWith(health);
  },

  async diagnose({ env, params, query }) {
    const windowS = readDiagnosedWindow(query.window);
    if (isProblem(windowS)) return windowS;
    const diagnosis = await callControl(env, params.prompt, (control) =>
      control.readDiagnosis(query.environment, windowS),
    );
    return isProblem(diagnosis) ? diagnosis : answerWith(diagnosis);
  },

  async listEvents({ env, params, query }) {
    const { environment, limit, before } = query;
    return callControl(env, params.prompt, async (control, prompt) => {
      const events = await control.readEvents(environment, limit, before ?? null);
      if (isProblem(events)) return events;
      const nextBefore = events.length === limit ? (events.at(-1)?.id ?? null) : null;
      return answerWith({ prompt, environment, events, nextBefore });
    });
  },
};
