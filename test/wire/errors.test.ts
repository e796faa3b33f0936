import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { problem, PROBLEMS, statusOf, type ProblemCode } from "../../src/core/problem.ts";
import { errorBody, errorHeaders } from "../../src/wire/errors.ts";

const CODES = Object.keys(PROBLEMS) as ProblemCode[];
const headers = new Headers();

function typeOf(family: "openai" | "anthropic", code: ProblemCode): string {
  return (JSON.parse(errorBody(family, problem(code, "m"))) as { error: { type: string } }).error.type;
}

function nameOf(code: ProblemCode): string | undefined {
  return errorHeaders("bedrock", problem(code, "m"), "r")["x-amzn-errortype"];
}

describe("an error of ours", () => {
  it.each(CODES)("%s raises the SDKs' own exception for its status, with the code in reach", (code) => {
    const value = problem(code, 'Say "why".', { field: "prompt.id" });
    const status = statusOf(value);
    // As the SDKs read an answer: OpenAI's takes the inner object, Anthropic's the whole.
    const openai = (JSON.parse(errorBody("openai", value)) as { error: object }).error;
    const raised = OpenAI.APIError.generate(status, { error: openai }, undefined, headers);
    expect(raised).toMatchObject({ status, code, param: "prompt.id", message: `${status} Say "why".` });
    expect(typeof raised.type).toBe("string");
    const anthropic = JSON.parse(errorBody("anthropic", value, "req_1")) as object;
    const thrown = Anthropic.APIError.generate(status, anthropic, undefined, headers);
    expect(thrown).toMatchObject({ status, errorCode: code, apiMessage: 'Say "why".' });
    expect(thrown.type).toMatch(/_error$|^request_too_large$/);
    expect(anthropic).toMatchObject({ type: "error", request_id: "req_1" });
    const gemini = JSON.parse(errorBody("gemini", value)) as { error: { status: string } };
    expect(gemini).toMatchObject({ error: { code: status, message: 'Say "why".' } });
    expect(gemini.error.status).toMatch(/^[A-Z_]+$/);
    expect(JSON.parse(errorBody("gemini-array", value))).toEqual([gemini]);
    expect(JSON.parse(errorBody("workers-ai", value, "req_1"))).toEqual({
      result: null,
      success: false,
      errors: [{ code: status, message: 'Say "why".', error_code: code, request_id: "req_1" }],
      messages: [],
    });
  });

  it("has the type that belongs to its status", () => {
    expect(typeOf("openai", "variable_missing")).toBe("invalid_request_error");
    expect(typeOf("openai", "unauthenticated")).toBe("authentication_error");
    expect(typeOf("openai", "rate_limited")).toBe("rate_limit_error");
    expect(typeOf("openai", "upstream_unreachable")).toBe("server_error");
    expect(typeOf("anthropic", "prompt_not_found")).toBe("not_found_error");
    expect(typeOf("anthropic", "body_too_large")).toBe("request_too_large");
    expect(typeOf("anthropic", "release_unavailable")).toBe("overloaded_error");
    expect(typeOf("anthropic", "upstream_timeout")).toBe("timeout_error");
    expect(typeOf("anthropic", "version_revoked")).toBe("not_found_error");
  });

  it("names the exception that AWS's SDKs raise", () => {
    expect(nameOf("variable_missing")).toBe("ValidationException");
    expect(nameOf("body_too_large")).toBe("ValidationException");
    expect(nameOf("prompt_not_found")).toBe("ResourceNotFoundException");
    expect(nameOf("unauthenticated")).toBe("AccessDeniedException");
    expect(nameOf("forbidden")).toBe("AccessDeniedException");
    expect(nameOf("rate_limited")).toBe("ThrottlingException");
    expect(nameOf("release_unavailable")).toBe("ServiceUnavailableException");
    expect(nameOf("upstream_unreachable")).toBe("InternalServerException");
    expect(nameOf("upstream_timeout")).toBe("ModelTimeoutException");
    expect(errorBody("bedrock", problem("forbidden", "m"))).toBe('{"message":"m"}');
    expect(errorHeaders("openai", problem("forbidden", "m"), "r")).toEqual({});
  });

  it("says null where there is no field", () => {
    expect(errorBody("openai", problem("forbidden", "m"))).toBe(
      '{"error":{"message":"m","type":"permission_error","param":null,"code":"forbidden"}}',
    );
  });
});
