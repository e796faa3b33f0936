// The data plane as the documentation tells it (contract §2): mounts, headers, errors. It speaks the providers' own
// APIs, so that there is nothing to describe but what Switchback adds; hence a small table by hand. Likewise `GET /metrics`,
// which answers scrapers and no JSON.

import type { ProblemCode } from "../core/problem.ts";

export const MOUNTS = [
  {
    path: "/p/{prompt}/{provider}/{path}",
    id: "proxyPrompt",
    summary: "A provider's API with the prompt that the URL names",
    description:
      "Set an SDK's base URL to `…/p/support-bot/openai/v1` (OpenAI), `…/p/support-bot/anthropic` (Anthropic) and so on; another environment is `/p/{prompt}@{environment}/…`. `path` is the provider's own path with all its slashes; it goes upstream verbatim, the query too. The prompt goes into turn-creating POSTs; everything else passes through.",
  },
  {
    path: "/{provider}/{path}",
    id: "proxy",
    summary: "A provider's API; the request may name a prompt",
    description:
      "The prompt is named by `Prompt-Name`, by the body's `prompt: {id, version?, variables?}` or by `model: \"prompt:{name}\"`. Without any of them: pure pass-through. A proxy key (`sb_…`, `POST /admin/keys`) goes wherever the SDK puts its API key (an AWS SDK: as the access key id, with any secret) and is replaced by the provider's secret that the Worker holds; without one, the client's own credential passes through.",
  },
] as const;

export const REQUEST_HEADERS = [
  { name: "Prompt-Name", description: "Name of the prompt, where the URL names none." },
  { name: "Prompt-Environment", description: "Environment; default `production`." },
  { name: "Prompt-Variables", description: "Variables as JSON in ASCII; wins over the body's." },
  { name: "Prompt-Version", description: "Pins one version, past the split and out of the statistics." },
  { name: "Prompt-Key", description: "Unit key that stickiness goes by." },
] as const;

export const RESPONSE_HEADERS = [
  { name: "Prompt-Name", description: "The prompt that was put in." },
  { name: "Prompt-Version", description: "The version served." },
  { name: "Prompt-Arm", description: "`baseline`, `canary` or `pinned`." },
  { name: "Prompt-Revision", description: "Revision of the release that decided." },
  {
    name: "Prompt-Reason",
    description: "`static`, `split`, `pinned`, `drain`, `no_lease` or `fallback`.",
  },
  { name: "Prompt-Assigned-Version", description: "The canary that failed, where the baseline answered." },
  {
    name: "Prompt-Skipped",
    description: "The coding agent that the prompt's `agents: off` puts no prompt in for.",
  },
  {
    name: "Prompt-Request-Id",
    description:
      "Id of this request. With a version in the answer it is signed, and feedback can be given by it (`POST /feedback`) for 7 days; the random id of the logs stands in it.",
  },
  { name: "Prompt-Error", description: "Code of an error of ours; provider errors pass byte for byte." },
  { name: "Server-Timing", description: "`proxy;dur=…`: milliseconds spent in Switchback." },
] as const;

export const SCRAPE_PATH = "/metrics";

export const SCRAPE = {
  path: SCRAPE_PATH,
  id: "scrapeMetrics",
  group: "Observation",
  role: "viewer",
  summary: "Read everything as Prometheus does",
  description:
    "Counters and histograms by prompt, environment, version and arm, weights, verdicts and guardrails, in the text format 0.0.4; at most 100 prompts, 130 releases and 4 MB, and `switchback_scrape_skipped_prompts` counts what is behind that.",
  parameter: {
    name: "prompt",
    description: "Only this prompt, by its name; may be given several times. Default: all.",
  },
  contentType: "text/plain",
  problems: ["prompt_not_found", "invalid_request", "unauthenticated", "forbidden", "release_unavailable"],
} as const satisfies { problems: readonly ProblemCode[]; [field: string]: unknown };

export const DATA_PLANE_PROBLEMS: readonly ProblemCode[] = [
  "prompt_not_found",
  "version_not_found",
  "provider_not_found",
  "environment_not_found",
  "invalid_request",
  "variable_missing",
  "variable_invalid",
  "unauthenticated",
  "forbidden",
  "version_revoked",
  "body_too_large",
  "rate_limited",
  "upstream_unreachable",
  "release_unavailable",
  "upstream_timeout",
];
