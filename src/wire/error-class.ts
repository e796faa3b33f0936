// Which class an error belongs to: by the names that providers give their errors, then by their words where a name says too
// little (a prompt that is too long is an `invalid_request_error` to most), then by the status. Whose matter a class is stands
// in core/metering/outcome.ts. What a version may be to blame for must not be among what it cannot, nor the other way round:
// who asks (401, a bad key) is never its doing; what the account may have (403: a model, a feature; 402: more than it has paid
// for) may be. Providers repeat names and values of requests in their words, so these prove little: a tool may be called
// `update_billing_address`, and only a whole statement about the key says that it is bad.

import type { ErrorClass } from "../core/metering/outcome.ts";
import type { Problem, ProblemCode } from "../core/problem.ts";
import type { Json } from "../core/types.ts";
import { isObject } from "./answer-usage.ts";

const NAMES: { readonly [errorClass in ErrorClass]?: string } = {
  rate_limited:
    "rate_limit_error rate_limit_exceeded rate_limited rate_limit tokens requests too_many_requests resource_exhausted throttlingexception toomanyrequestsexception servicequotaexceededexception request_limit_exceeded tpm_limit_exceeded",
  overloaded:
    "overloaded_error overloaded engine_overloaded unavailable service_unavailable serviceunavailableexception modelnotreadyexception overloadedexception slow_down capacity_exceeded insufficient_system_resource",
  timeout: "timeout_error timeout request_timeout deadline_exceeded modeltimeoutexception gateway_timeout",
  server_error:
    "server_error api_error internal internal_error internal_server_error internalserverexception modelerrorexception modelstreamerrorexception internalfailure unknown data_loss",
  credentials:
    "authentication_error invalid_api_key invalid_authentication unauthenticated unauthorized unrecognizedclientexception expiredtokenexception invalidsignatureexception missingauthenticationtokenexception api_key_invalid",
  permission:
    "permission_error permission_denied forbidden accessdeniedexception key_model_access_denied billing_error insufficient_quota billing_hard_limit_reached billing_not_active insufficient_credits payment_required account_deactivated access_terminated",
  context_length:
    "context_length_exceeded context_window_exceeded model_context_window_exceeded prompt_too_long string_above_max_length",
  content_filter:
    "content_filter content_policy_violation content_policy responsibleaipolicyviolation invalid_prompt bio_policy misalignment_policy_violation image_content_policy_violation moderation_blocked safety prohibited_content guardrail_intervened",
  invalid_request:
    "invalid_argument failed_precondition out_of_range validationexception not_found not_found_error model_not_found resourcenotfoundexception invalid_value unsupported_parameter unsupported_value missing_required_parameter invalid_type unknown_parameter request_too_large conflict_error unimplemented",
};

/** Names that say what an error is. `invalid_request_error` is not among them: providers call nearly anything so. */
const CLASS_OF = new Map<string, ErrorClass>(
  Object.entries(NAMES).flatMap(([errorClass, names]) =>
    names.split(" ").map((name) => [name, errorClass as ErrorClass]),
  ),
);

/** Of several names the one that stands first here decides. */
const ORDER: readonly ErrorClass[] = [
  "context_length",
  "content_filter",
  "permission",
  "credentials",
  "rate_limited",
  "overloaded",
  "timeout",
  "server_error",
  "invalid_request",
];

/** Of statuses, what says more than that something went wrong. */
const FINER: ReadonlySet<ErrorClass> = new Set(["timeout", "overloaded", "unreachable", "rate_limited"]);

/** Said of much that is something finer. */
const VAGUE: ReadonlySet<ErrorClass> = new Set(["invalid_request", "permission"]);

const BAD_KEY =
  /\b(?:incorrect|invalid|missing|no) api key\b|\bapi key (?:is |was |has )?(?:been )?(?:reported as )?(?:not valid|invalid|expired|leaked|suspended|deactivated|missing|required)\b/i;

/** What an error without a telling name, or with one that says no more than that the request is at fault, is about. */
const WORDS: readonly (readonly [ErrorClass, RegExp])[] = [
  [
    "context_length",
    /(?:prompt|input|request|messages?|conversation) (?:is|are|was) too long|context (?:length|window|limit|size)|maximum (?:prompt|input|number of (?:input )?tokens|tokens)|too many (?:total |input |prompt )?(?:tokens|text bytes)|exceeds? .{0,60}\btokens? (?:allowed|limit)|reduce the length|token count .{0,40}exceeds/i,
  ],
  [
    "content_filter",
    /content (?:management|filter(?:ing)?|policy)|usage polic|safety (?:system|filter|polic)|(?:was|were|been) flagged|flagged (?:as|by|for)|blocked by (?:a |the |our )?(?:guardrail|safety|polic|filter)|moderation/i,
  ],
  ["credentials", BAD_KEY],
  [
    "permission",
    /permission|access denied|not authori[sz]ed|(?:not|n't) (?:have|allowed) (?:to )?access|missing scopes|credit balance is too low|exceeded your current quota|insufficient (?:credits?|balance|funds|quota)/i,
  ],
];

/** Of a 401: the key is good, and may not do this. */
const LACKS = /access (?:to )?(?:the |this )?model|insufficient permissions|missing scopes/i;

/** Only where neither name nor status says anything: a request that asks for a `timeout` is still a bad request. */
const LAST_WORDS: typeof WORDS = [
  ["overloaded", /overloaded|capacity|currently unavailable|high demand/i],
  ["rate_limited", /rate.?limit|too many requests|throttl/i],
  ["timeout", /timed? ?out|deadline/i],
];

const PROBLEMS: { readonly [code in ProblemCode]?: ErrorClass } = {
  variable_missing: "variables",
  variable_invalid: "variables",
  invalid_request: "invalid_request",
  body_too_large: "invalid_request",
  unauthenticated: "credentials",
  forbidden: "credentials",
  rate_limited: "rate_limited",
  upstream_unreachable: "unreachable",
  upstream_timeout: "timeout",
};

/**
 * `status`: of the provider's answer; null: there was none, or it is unknown. `text`: the error's own words, a body or an
 * event of a stream (`AnswerReading.errorText`). `ours`: an error of our own, which goes before everything. `name`: where
 * a header names the error (AWS: `x-amzn-errortype`).
 */
export function classifyError(
  status: number | null,
  text: string | null,
  ours: Problem | null,
  name: string | null = null,
): ErrorClass {
  if (ours !== null) return PROBLEMS[ours.problem] ?? "other";
  const said = readWords(text);
  if (name !== null) said.names.push(name);
  const named = classOfNames(said.names);
  const byStatus = classOfStatus(isErrorStatus(status) ? status : said.status);
  // OpenAI's `server_error` comes with any status from 500 on.
  if (named === "server_error" && byStatus !== null) return FINER.has(byStatus) ? byStatus : named;
  if (named !== null && !VAGUE.has(named)) return named;
  const message = withoutQuotes(said.message);
  // AWS has one name for who is not known and for who may not. Some answer 401 to a model or a scope that a good key lacks.
  if (byStatus === "credentials") return LACKS.test(message) ? "permission" : byStatus;
  // A provider that has broken down is not believed to know why.
  const mayBeRequests = byStatus === null || VAGUE.has(byStatus);
  const worded = mayBeRequests ? classOfWords(WORDS, message) : null;
  const known = worded ?? named ?? byStatus;
  if (known !== null) return known;
  const isRequests = said.names.includes("invalid_request_error");
  return isRequests ? "invalid_request" : (classOfWords(LAST_WORDS, message) ?? "other");
}

function isErrorStatus(status: number | null): status is number {
  return status !== null && status >= 400;
}

type Words = { names: string[]; message: string; status: number | null };

const NAME_KEYS = new Set(
  "code type status reason error_code __type :exception-type :error-code name subcode".split(" "),
);
const MESSAGE_KEYS = new Set("message msg description detail error :error-message raw title".split(" "));
const DEEPEST = 4;

/** Names and words of an error, wherever its provider puts them. What is no JSON is all words. */
function readWords(text: string | null): Words {
  const words: Words = { names: [], message: "", status: null };
  if (text === null) return words;
  try {
    collect(JSON.parse(text) as Json, words, 0);
  } catch {
    words.message = text;
  }
  return words;
}

function collect(value: Json, words: Words, depth: number): void {
  if (depth > DEEPEST) return;
  if (Array.isArray(value)) {
    for (const each of value.slice(0, 8)) collect(each, words, depth + 1);
  }
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === "object" && member !== null) collect(member, words, depth + 1);
    else if (typeof member === "number" && (key === "code" || key === "status")) words.status ??= member;
    else if (typeof member !== "string") continue;
    else if (NAME_KEYS.has(key)) words.names.push(member);
    else if (MESSAGE_KEYS.has(key)) words.message += `${member}\n`;
  }
}

/** `ThrottlingException:http://…` and `#…`: AWS writes its names with and without where they come from. */
function plainName(name: string): string {
  return name.replace(/^.*#/, "").replace(/:.*$/, "").toLowerCase();
}

function classOfNames(names: string[]): ErrorClass | null {
  const classes = names.map((name) => CLASS_OF.get(plainName(name)));
  return ORDER.find((errorClass) => classes.includes(errorClass)) ?? null;
}

/** What is quoted is the request's, not the provider's. */
function withoutQuotes(message: string): string {
  return message.replace(/'[^'\n]{0,200}'|"[^"\n]{0,200}"|`[^`\n]{0,200}`/g, "…");
}

function classOfWords(table: typeof WORDS, message: string): ErrorClass | null {
  return table.find(([, words]) => words.test(message))?.[0] ?? null;
}

/** Cloudflare's 520 to 527 and 530: the provider's own door was shut. */
function classOfStatus(status: number | null): ErrorClass | null {
  if (status === null || status < 400 || status > 599) return null;
  if (status === 401) return "credentials";
  if (status === 402 || status === 403) return "permission";
  if (status === 408 || status === 504 || status === 524) return "timeout";
  if (status === 429) return "rate_limited";
  if (status === 498 || status === 503 || status === 529) return "overloaded";
  if ((status >= 520 && status <= 527) || status === 530) return "unreachable";
  return status >= 500 || status === 424 ? "server_error" : "invalid_request";
}
