// Our own errors in the caller's shape (contract §2.4). SDKs choose their exception by status; what they show of it
// (`type`, `code`, `param`, `status`) stands where each of them looks, with our code as the finer reason.

import { statusOf, type Problem } from "../core/problem.ts";
import type { Family } from "./wire.ts";

const OPENAI_TYPES: { [status: number]: string } = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  429: "rate_limit_error",
};

const ANTHROPIC_TYPES: { [status: number]: string } = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  410: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
};

const GEMINI_STATUSES: { [status: number]: string } = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  410: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** Names of exceptions that every operation of Bedrock's runtime knows. */
const BEDROCK_TYPES: { [status: number]: string } = {
  401: "AccessDeniedException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  409: "ConflictException",
  410: "ResourceNotFoundException",
  429: "ThrottlingException",
  503: "ServiceUnavailableException",
  504: "ModelTimeoutException",
};

/** What SDKs read off an error's headers: AWS's choose their exception by them. */
export function errorHeaders(family: Family, value: Problem, requestId: string): Record<string, string> {
  if (family !== "bedrock") return {};
  const status = statusOf(value);
  const fallback = status >= 500 ? "InternalServerException" : "ValidationException";
  return { "x-amzn-errortype": BEDROCK_TYPES[status] ?? fallback, "x-amzn-requestid": requestId };
}

/** One JSON text. `requestId` is shown by Anthropic's SDK; null where none is known. */
export function errorBody(family: Family, value: Problem, requestId: string | null = null): string {
  const status = statusOf(value);
  const isOurs = status >= 500;
  const { problem: code, message } = value;
  switch (family) {
    case "openai": {
      const type = OPENAI_TYPES[status] ?? (isOurs ? "server_error" : "invalid_request_error");
      return JSON.stringify({ error: { message, type, param: value.field ?? null, code } });
    }
    case "anthropic": {
      const type = ANTHROPIC_TYPES[status] ?? (isOurs ? "api_error" : "invalid_request_error");
      const error = { type, message, details: { error_code: code } };
      return JSON.stringify({ type: "error", error, request_id: requestId });
    }
    case "bedrock":
      return JSON.stringify({ message });
    case "workers-ai": {
      const error = { code: status, message, error_code: code, request_id: requestId };
      return JSON.stringify({ result: null, success: false, errors: [error], messages: [] });
    }
    case "gemini-array":
      return `[${errorBody("gemini", value, requestId)}]`;
    case "gemini": {
      const name = GEMINI_STATUSES[status] ?? (isOurs ? "INTERNAL" : "INVALID_ARGUMENT");
      const reason = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: code.toUpperCase() };
      const details = [{ ...reason, domain: "switchback" }];
      return JSON.stringify({ error: { code: status, message, status: name, details } });
    }
  }
}
