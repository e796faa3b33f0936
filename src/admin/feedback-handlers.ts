// Handlers of feedback. The id itself says which prompt it concerns, so a key's scope is checked against it before anybody
// is asked whether it is genuine. What an isolate hands to one prompt's Control at a time is limited: whoever sends a
// storm of feedback must not keep edges from renewing their leases there.

import { readFeedbackId, readFeedbackValue, type FeedbackReceipt } from "../core/feedback.ts";
import { checkPrompt } from "../core/key-scope.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { answerWith, type Call, type Handlers, type Reply } from "./call.ts";
import type { feedbackOperations } from "./feedback-operations.ts";
import { callControl, callStub } from "./stubs.ts";

type Give = Call<(typeof feedbackOperations)["giveFeedback"]>;

const MOST_AT_ONCE = 64;

/** prompt → calls of this isolate that are under way. */
const underWay = new Map<string, number>();

export const feedbackHandlers: Handlers<typeof feedbackOperations> = {
  giveFeedback,

  async listFeedback({ env, params, query }) {
    const { environment, limit, before = null, version = null, name = null } = query;
    return callControl(env, params.prompt, async (control, prompt) => {
      const page = await control.readFeedback({ environment, limit, before, version, name });
      return isProblem(page) ? page : answerWith({ prompt, environment, ...page });
    });
  },

  async getJudge({ env, params }) {
    return callControl(env, params.prompt, async (control, prompt) => {
      const view = await control.readJudge();
      return isProblem(view) ? view : answerWith({ prompt, ...view });
    });
  },
};

async function giveFeedback({ env, actor, key, body }: Give): Promise<Reply | Problem> {
  const { request_id: requestId, name, comment } = body;
  const value = readFeedbackValue(name, body.value);
  if (isProblem(value)) return value;
  const read = readFeedbackId(requestId);
  if (isProblem(read)) return read;
  const { prompt, environment } = read.turn;
  const outside = checkPrompt(key, prompt, environment);
  if (outside !== null) return outside;
  const feedback = { requestId, name, value, comment: comment === "" ? null : comment, by: actor.name };
  const receipt = await atMost(prompt, () =>
    callStub(
      () => env.CONTROL.getByName(prompt),
      (control) => control.giveFeedback(feedback),
    ),
  );
  return isProblem(receipt) ? receipt : { status: 202, body: receipt };
}

async function atMost(
  prompt: string,
  call: () => Promise<FeedbackReceipt | Problem>,
): Promise<FeedbackReceipt | Problem> {
  const others = underWay.get(prompt) ?? 0;
  if (others >= MOST_AT_ONCE) {
    return problem(
      "rate_limited",
      `${others} feedbacks on this prompt are under way. Send it again shortly.`,
    );
  }
  underWay.set(prompt, others + 1);
  try {
    return await call();
  } finally {
    const left = (underWay.get(prompt) ?? 1) - 1;
    if (left === 0) underWay.delete(prompt);
    else underWay.set(prompt, left);
  }
}
