// Bedrock's InvokeModel with an Anthropic model: a Messages body whose model stands in the path. Bodies of other makers'
// models look like nothing in common, so only what says that it is Anthropic's takes a prompt.

import { isProblem, problem } from "../core/problem.ts";
import { invokeAnswers } from "./answer-bedrock.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { textIn } from "./facts.ts";
import { nameOf, ROOT } from "./json-tree.ts";
import { spoil } from "./parts.ts";

const VERSION = nameOf("anthropic_version");

/** Names of models and inference profiles say whose they are; ARNs of profiles and of the customer's own models do not,
 * nor does a name that stands for a prompt: there the body has to. */
export function mayBeAnthropic(model: string): boolean {
  return /(?:^|[./:])anthropic\./.test(model) || /^(?:arn|prompt):/.test(model);
}

export const bedrockInvoke: typeof anthropicMessages = {
  ...anthropicMessages,
  family: "bedrock",
  answers: invokeAnswers,
  scan(body) {
    const scan = anthropicMessages.scan(body);
    if (isProblem(scan) || textIn(scan.spans, ROOT, VERSION) !== null) return scan;
    return problem(
      "invalid_request",
      "Of InvokeModel's bodies only Anthropic's can take a prompt, and this one names no anthropic_version. Converse takes a prompt for any model.",
      { field: "anthropic_version" },
    );
  },
  prepare(rendered, options) {
    const prepared = anthropicMessages.prepare(rendered, options);
    const model = prepared.settings.pathModel;
    if (model === null || mayBeAnthropic(model)) return prepared;
    const refusal = problem(
      "invalid_request",
      `The version's model "${model}" is not Anthropic's, whose body this is. Converse takes any model.`,
      { field: "model" },
    );
    return { ...prepared, settings: spoil(prepared.settings, refusal) };
  },
};
