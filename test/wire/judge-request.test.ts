// How a judge is asked at each provider. Guarantees: it is a turn that a prompt goes into, with question and answer as its
// variables; and where the path has to name a model it names the prompt, so that a version without a model is refused.

import { describe, expect, it } from "vitest";
import { encodeUtf8 } from "../../src/core/text.ts";
import { isProblem } from "../../src/core/problem.ts";
import { PROVIDERS } from "../../src/core/providers.ts";
import { matchEndpoint } from "../../src/wire/formats.ts";
import { buildJudgeRequest } from "../../src/wire/judge-request.ts";
import { modelInPath } from "../../src/wire/model-path.ts";

const VARIABLES = { question: 'Money "back"?', answer: "Any time! 🙂\n{{name}}" };

describe.each([...Object.keys(PROVIDERS), "my-llm", "azure-eu", "bedrock-west"])("%s", (provider) => {
  const { path, headers, body } = buildJudgeRequest(provider, "answer-judge", VARIABLES);

  it("is asked by a turn that takes a prompt, and does not stream", () => {
    const endpoint = matchEndpoint(provider, path);
    expect(endpoint).toMatchObject({ count: false });
    expect(endpoint?.streams ?? false).toBe(false);
    const scan = endpoint!.format.scan(encodeUtf8(JSON.stringify(body)), endpoint!.resource);
    if (isProblem(scan)) throw new Error(scan.message);
    expect(scan.promptVariables).toEqual(VARIABLES);
    expect(scan).toMatchObject({ stream: false, continues: false });
    expect(scan.firstUserText).toMatch(/"score"/);
    expect(headers["content-type"]).toBe("application/json");
  });

  it("is asked for no model of our own", () => {
    const endpoint = matchEndpoint(provider, path)!;
    if (endpoint.modelAt !== null) expect(modelInPath(path, endpoint)).toBe("prompt:answer-judge");
    expect(body).not.toHaveProperty("model");
  });
});
