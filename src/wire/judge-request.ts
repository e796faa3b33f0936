// How a judge is asked, in the API of its provider: a turn like any other, with the question and the answer as the variables
// of the judge's own prompt. The version names the model; one that names none is refused by the provider, or by us where
// the path has to name it.

import { makerOf } from "../core/providers.ts";
import type { JsonObject } from "../core/types.ts";

export type JudgeRequest = { path: string; headers: { [name: string]: string }; body: JsonObject };

/** The last word, behind whatever the judge's prompt says. */
const ASK = 'Score the answer now. Reply with {"score": a number from 0 to 1} and nothing else.';

/** A score is short; models that think first need room, which a version's own parameters may change. */
const MOST_TOKENS = 2_048;

export function buildJudgeRequest(
  provider: string,
  judge: string,
  variables: { question: string; answer: string },
): JudgeRequest {
  const prompt_variables = { ...variables };
  const messages = [{ role: "user", content: ASK }];
  const headers = { "content-type": "application/json" };
  const model = `prompt:${judge}`;
  switch (makerOf(provider)) {
    case "anthropic":
      return {
        path: "/v1/messages",
        headers: { ...headers, "anthropic-version": "2023-06-01" },
        body: { max_tokens: MOST_TOKENS, messages, prompt_variables },
      };
    case "gemini": {
      const contents = [{ role: "user", parts: [{ text: ASK }] }];
      return {
        path: `/v1beta/models/${model}:generateContent`,
        headers,
        body: { contents, prompt_variables },
      };
    }
    case "bedrock": {
      const turns = [{ role: "user", content: [{ text: ASK }] }];
      return { path: `/model/${model}/converse`, headers, body: { messages: turns, prompt_variables } };
    }
    case "azure":
      return { path: "/openai/v1/chat/completions", headers, body: { messages, prompt_variables } };
    default:
      return { path: "/v1/chat/completions", headers, body: { messages, prompt_variables } };
  }
}
