// Errors in the providers' own words, each in its class: what a provider is to blame for is never laid on the prompt, nor
// the other way round.

import { describe, expect, it } from "vitest";
import { ERROR_CLASSES, type ErrorClass } from "../../src/core/metering/outcome.ts";
import { PROBLEMS, problem, type ProblemCode } from "../../src/core/problem.ts";
import { classifyError } from "../../src/wire/error-class.ts";
import { errorBody, errorHeaders } from "../../src/wire/errors.ts";
import type { Family } from "../../src/wire/wire.ts";

function openai(message: string, type: string | null, code: string | null): unknown {
  return { error: { message, type, param: null, code } };
}

function anthropic(type: string, message: string): unknown {
  return { type: "error", error: { type, message }, request_id: "req_1" };
}

function google(code: number, status: string, message: string, reason?: string): unknown {
  const details =
    reason === undefined ? [] : [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason }];
  return { error: { code, message, status, details } };
}

/** [class, status, body, name in a header] */
type Row = [ErrorClass, number | null, unknown, string?];

const TOO_LONG: Row[] = [
  [
    "context_length",
    400,
    openai(
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
      "invalid_request_error",
      "context_length_exceeded",
    ),
  ],
  [
    "context_length",
    400,
    anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
  ],
  [
    "context_length",
    400,
    anthropic(
      "invalid_request_error",
      "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    ),
  ],
  [
    "context_length",
    400,
    google(
      400,
      "INVALID_ARGUMENT",
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
  ],
  ["context_length", 400, { message: "Input is too long for requested model." }, "ValidationException"],
  [
    "context_length",
    400,
    { message: "The model returned the following errors: prompt is too long: 9 tokens > 8 maximum" },
    "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
  ],
  [
    "context_length",
    400,
    {
      object: "error",
      message: "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
      type: "invalid_request_error",
      code: 3051,
    },
  ],
  [
    "context_length",
    400,
    openai("Please reduce the length of the messages or completion.", "invalid_request_error", null),
  ],
  [
    "context_length",
    413,
    {
      errors: [
        {
          message:
            "AiError: The estimated number of input and maximum output tokens (9) exceeded this model context window limit (8).",
          code: 5021,
        },
      ],
      success: false,
    },
  ],
  [
    "context_length",
    null,
    { type: "error", error: { type: "invalid_request_error", message: "prompt is too long" } },
  ],
];

const FILTERED: Row[] = [
  [
    "content_filter",
    400,
    {
      error: {
        message:
          "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        code: "content_filter",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    },
  ],
  [
    "content_filter",
    400,
    openai(
      "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
      "invalid_request_error",
      "invalid_prompt",
    ),
  ],
  ["content_filter", 400, anthropic("invalid_request_error", "Output blocked by content filtering policy")],
  [
    "content_filter",
    403,
    { error: { code: 403, message: "Your chosen model requires moderation and your input was flagged" } },
  ],
  [
    "content_filter",
    null,
    {
      type: "response.failed",
      response: { status: "failed", error: { code: "bio_policy", message: "No." } },
    },
  ],
];

const REQUESTS: Row[] = [
  [
    "invalid_request",
    400,
    openai("Unsupported parameter: 'temperature'.", "invalid_request_error", "unsupported_parameter"),
  ],
  [
    "invalid_request",
    400,
    openai(
      "Invalid value for 'timeout': too many requests would time out.",
      "invalid_request_error",
      "invalid_value",
    ),
  ],
  [
    "invalid_request",
    404,
    openai("The model `gpt-9` does not exist", "invalid_request_error", "model_not_found"),
  ],
  [
    "invalid_request",
    400,
    anthropic("invalid_request_error", "messages.1.content.0: Invalid `signature` in `thinking` block"),
  ],
  ["invalid_request", 413, anthropic("request_too_large", "Request exceeds the maximum size")],
  ["invalid_request", 400, google(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")],
  ["invalid_request", 400, { message: "Malformed input request." }, "ValidationException"],
  ["invalid_request", null, openai("Bad.", "invalid_request_error", null)],
  ["invalid_request", 422, "not json"],
];

/** Words of the request's own, which its provider repeats: no reason to believe that nobody was let in. */
const REPEATED: Row[] = [
  "Invalid schema for function 'update_billing_address': array schema missing items.",
  "Invalid schema for function 'rotate_api_key': array schema missing items.",
  "Unknown parameter: 'tools[0].api_key'.",
  "Invalid value: 'billing'. Supported values are: 'a' and 'b'.",
  "Error while downloading https://example.com/unauthorized.png.",
  "tools.0.custom.input_schema.properties: Property keys should match pattern, got 'billing address'",
  'Invalid value: "invalid api key".',
].map((message): Row => ["invalid_request", 400, openai(message, "invalid_request_error", null)]);

const ACCOUNTS: Row[] = [
  ["credentials", 400, openai("Incorrect API key provided: xai-…. Get one at the console.", "x", null)],
  ["credentials", 401, openai("Incorrect API key provided.", "invalid_request_error", "invalid_api_key")],
  ["credentials", 400, google(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")],
  ["credentials", 403, google(403, "PERMISSION_DENIED", "Your API key was reported as leaked.")],
  ["credentials", 403, { message: "The security token is invalid." }, "UnrecognizedClientException"],
  ["credentials", 401, "You are not authorized to access this."],
];

/** The account's limits: a version that asks for another model, a tool or longer answers runs into them alone. */
const PERMISSIONS: Row[] = [
  [
    "permission",
    400,
    anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
  ],
  ["permission", 429, openai("You exceeded your current quota.", "insufficient_quota", "insufficient_quota")],
  ["permission", 402, { error: { message: "Insufficient credits", code: 402 } }],
  [
    "permission",
    402,
    { error: { message: "This request requires more credits, or fewer max_tokens.", code: 402 } },
  ],
  ["permission", 401, openai("key not allowed to access model gpt-9", "key_model_access_denied", "401")],
  [
    "permission",
    401,
    openai(
      "You have insufficient permissions for this operation. Missing scopes: x",
      "invalid_request_error",
      null,
    ),
  ],
  ["permission", 403, anthropic("permission_error", "Not allowed.")],
  ["permission", 403, anthropic("permission_error", "Your API key does not have permission to use it.")],
  ["permission", 403, { message: "You don't have access." }, "AccessDeniedException"],
  ["permission", 403, google(403, "PERMISSION_DENIED", "The caller does not have permission")],
  ["permission", 403, "Forbidden"],
];

const PROVIDERS: Row[] = [
  [
    "rate_limited",
    429,
    openai(
      "Request too large for gpt-5.4 on tokens per min (TPM): Limit 30000.",
      "tokens",
      "rate_limit_exceeded",
    ),
  ],
  [
    "rate_limited",
    429,
    anthropic("rate_limit_error", "This request would exceed your rate limit of input tokens."),
  ],
  ["rate_limited", 429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.")],
  [
    "rate_limited",
    429,
    { message: "Too many tokens, please wait before trying again." },
    "ThrottlingException",
  ],
  ["rate_limited", 429, null],
  [
    "rate_limited",
    null,
    { ":exception-type": "throttlingException", ":message-type": "exception", message: "Too many tokens" },
  ],
  ["overloaded", 529, anthropic("overloaded_error", "Overloaded")],
  ["overloaded", 503, google(503, "UNAVAILABLE", "The model is overloaded.")],
  ["overloaded", null, google(503, "UNAVAILABLE", "The model is overloaded.")],
  ["overloaded", 503, { message: "x" }, "ServiceUnavailableException"],
  [
    "overloaded",
    null,
    { errors: [{ message: "AiError: Capacity temporarily exceeded, please try again." }] },
  ],
  ["overloaded", 503, "<html>Service Unavailable</html>"],
  ["timeout", 504, google(504, "DEADLINE_EXCEEDED", "Deadline expired.")],
  ["timeout", 408, { message: "m" }, "ModelTimeoutException"],
  ["timeout", 524, "error code: 524"],
  ["timeout", null, anthropic("timeout_error", "Request timed out.")],
  ["server_error", 500, openai("The server had an error.", "server_error", null)],
  ["server_error", 500, anthropic("api_error", "Internal server error")],
  [
    "server_error",
    500,
    google(500, "INTERNAL", "An internal error has occurred: prompt is too long to be true."),
  ],
  ["server_error", 500, { error: { message: "Internal: maximum context length is unknown." } }],
  ["rate_limited", 429, { message: "Too many tokens, please wait." }],
  ["server_error", 424, { message: "m" }, "ModelErrorException"],
  ["server_error", null, { error: { code: 502, message: "Provider returned error" } }],
  ["server_error", 502, ""],
  ["unreachable", 522, null],
  ["other", null, { error: { message: "Something." } }],
  ["other", 200, null],
];

it.each([...TOO_LONG, ...FILTERED, ...REQUESTS, ...REPEATED, ...ACCOUNTS, ...PERMISSIONS, ...PROVIDERS])(
  "%s: %s %j %s",
  (errorClass, status, body, name) => {
    const text = body === null ? null : typeof body === "string" ? body : JSON.stringify(body);
    expect(classifyError(status, text, null, name ?? null)).toBe(errorClass);
  },
);

function classOf(code: ProblemCode): ErrorClass {
  return classifyError(500, '{"error":{"code":"server_error"}}', problem(code, "m"));
}

describe("our own errors", () => {
  it("have their classes, whatever else is said", () => {
    expect(classOf("variable_missing")).toBe("variables");
    expect(classOf("upstream_unreachable")).toBe("unreachable");
    expect(classOf("upstream_timeout")).toBe("timeout");
    expect(classOf("unauthenticated")).toBe("credentials");
    expect(classOf("version_revoked")).toBe("other");
  });

  it("are read the same in every family's shape, as another proxy before us would send them", () => {
    const families: Family[] = ["openai", "anthropic", "gemini", "gemini-array", "bedrock", "workers-ai"];
    const expected: [ProblemCode, ErrorClass][] = [
      ["rate_limited", "rate_limited"],
      ["upstream_timeout", "timeout"],
      ["unauthenticated", "credentials"],
      ["invalid_request", "invalid_request"],
    ];
    for (const family of families) {
      for (const [code, errorClass] of expected) {
        const value = problem(code, "Something about it.");
        const { status } = PROBLEMS[code];
        const name = errorHeaders(family, value, "r1")["x-amzn-errortype"] ?? null;
        expect({
          family,
          code,
          errorClass: classifyError(status, errorBody(family, value), null, name),
        }).toEqual({
          family,
          code,
          errorClass,
        });
      }
    }
  });
});

it("any text at all has a class", () => {
  for (const text of [
    "",
    "{",
    "[]",
    "null",
    '"x"',
    "1",
    '{"error":null}',
    '{"error":[[[[[[{"code":"server_error"}]]]]]]}',
  ]) {
    expect(ERROR_CLASSES).toContain(classifyError(null, text, null));
  }
});
