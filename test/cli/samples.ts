// One plausible answer of every operation, checked against the types of core: support-bot at revision 7 with v2 as
// its baseline and v3 as a canary.

import type { OperationId } from "../../src/admin/operations.ts";
import type { Answer } from "../../src/cli/client.ts";
import type { KeyView, Metrics } from "../../src/admin/schemas.ts";
import { summarizeTallies } from "../../src/core/summary.ts";
import type { PushAnswer, RevokeAnswer, RollbackAnswer, Token, VersionView } from "../../src/core/ports.ts";
import type { Diagnosis } from "../../src/core/diagnosis.ts";
import type { GuardView, HealthView } from "../../src/core/health.ts";
import type { RampView } from "../../src/core/ramps.ts";
import { JUDGE_DEFAULTS } from "../../src/core/watch-settings.ts";
import type { Prompt, Release, ReleaseView, Revision, VersionSummary } from "../../src/core/types.ts";

export const NOW = "2026-03-01T12:00:00.000Z";
export const NOW_MS = Date.parse(NOW);

export const prompt: Prompt = {
  name: "support-bot",
  kind: "prompt",
  description: "Answers customers",
  owner: "support",
  tags: ["live"],
  aliases: ["pmpt_68ab"],
  unit: "conversation",
  createdAt: "2026-02-01T08:00:00.000Z",
  updatedAt: "2026-02-28T08:00:00.000Z",
  updatedBy: "alice",
  archivedAt: null,
  latestVersion: 3,
};

export const release: ReleaseView = {
  prompt: "support-bot",
  environment: "production",
  revision: 7,
  unit: "conversation",
  baseline: 2,
  arms: [
    {
      version: 2,
      weight: 95,
      arm: "baseline",
      digest: "ab".repeat(32),
      versionCreatedAt: "2026-02-26T12:00:00.000Z",
      note: "friendlier",
    },
    {
      version: 3,
      weight: 5,
      arm: "canary",
      digest: "cd".repeat(32),
      versionCreatedAt: "2026-03-01T11:57:00.000Z",
      note: "shorter answers",
    },
  ],
  draining: [],
  revoked: [],
  changedAt: "2026-03-01T11:57:30.000Z",
  changedBy: "alice",
  action: "canary",
  reason: "first look",
};

export const ramp: RampView = {
  version: 3,
  state: "running",
  steps: [5, 25, 50, 100],
  step: 0,
  weight: 5,
  stepSince: "2026-03-01T11:57:30.000Z",
  notBefore: "2026-03-01T12:07:30.000Z",
  bakeMs: 600_000,
  holdback: 5,
  holdbackMs: 86_400_000,
  askAfterMs: 86_400_000,
  startedAt: "2026-03-01T11:57:30.000Z",
  startedBy: "alice",
  isFrozen: false,
  asks: false,
  says: "10 m at 5 %, 7 m 30 s to go",
};

export const ramping: ReleaseView = { ...release, revision: 8, action: "ramp", ramp };

const epoch = { revision: 7, reason: "split" } as const;
export const metrics: Metrics = {
  prompt: "support-bot",
  environment: "production",
  since: null,
  until: NOW,
  ...summarizeTallies([
    { ...epoch, version: 2, arm: "baseline", requests: 12_304, errors: 12, aborted: 3 },
    { ...epoch, version: 3, arm: "canary", requests: 648, errors: 65, aborted: 0 },
  ]),
  comparisons: [],
};

export const versions: VersionSummary[] = [
  summary(3, "shorter answers"),
  summary(2, "friendlier"),
  { ...summary(1, "first"), revoked: { at: NOW, by: "bob", reason: "leaks the system text" } },
];

function summary(version: number, note: string): VersionSummary {
  const createdAt = "2026-02-26T12:00:00.000Z";
  return { version, digest: `${version}`.repeat(64), createdAt, createdBy: "alice", note, revoked: null };
}

export const version: VersionView = {
  ...summary(3, "shorter answers"),
  prompt: "support-bot",
  content: {
    messages: [{ role: "system", content: "You help users of {{product}}.\nBe brief." }],
    placement: "prepend",
    model: "gpt-5.4-mini",
    params: { temperature: 0.2 },
  },
  partials: [{ name: "tone", version: 4, digest: "ef".repeat(32) }],
};

export function routing(number: number, baseline: number, canaries: Release["arms"] = []): Release {
  const taken = canaries.reduce((sum, arm) => sum + arm.weight, 0);
  return {
    schema: 1,
    prompt: "support-bot",
    environment: "production",
    revision: number,
    unit: "conversation",
    baseline,
    arms: [{ version: baseline, weight: 100 - taken }, ...canaries],
    table: { revision: number, salt: "salt", slots: [] },
    drains: [],
    revoked: [],
    changedAt: NOW,
  };
}

export function revision(
  change: Pick<Revision, "revision" | "action" | "before" | "after"> & Partial<Revision>,
): Revision {
  return { prompt: "support-bot", environment: "production", at: NOW, actor: "alice", reason: "", ...change };
}

export const rollback: RollbackAnswer = {
  revision: 8,
  from: 3,
  to: 2,
  committedAt: "2026-03-01T12:00:03.123Z",
  enforcedBy: "2026-03-01T12:00:05.123Z",
};

export const token: Token = {
  id: "tok_1",
  name: "ci",
  role: "releaser",
  createdAt: "2026-02-26T12:00:00.000Z",
  createdBy: "admin",
  expiresAt: null,
  revokedAt: null,
};

export const key: KeyView = {
  id: "key_1",
  use: "all",
  name: "checkout",
  prompts: ["support-bot"],
  environments: ["production"],
  providers: ["openai"],
  passThrough: false,
  requestsPerMinute: 600,
  createdAt: "2026-02-26T12:00:00.000Z",
  createdBy: "admin",
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: "2026-03-01T11:57:00.000Z",
};

export const MINTED_KEY = "sb_minted-and-shown-once";

export const MINTED = "sbt_minted-and-shown-once";

const push: PushAnswer = { version: 4, digest: "99".repeat(32) };
const revocation: RevokeAnswer = { version: 3, revokedAt: NOW, enforcedBy: "2026-03-01T12:00:02.000Z" };

export const guard: GuardView = {
  metric: "errors",
  kind: "count",
  action: "rollback",
  says: "answers that failed",
  isCrossed: false,
  evidence: 0.4,
  threshold: 6.685,
  effect: 1.1,
  low: 0.5,
  high: 2.4,
  baseline: { units: 5_800, bad: 58, value: 0.01 },
  canary: { units: 310, bad: 3, value: 0.011 },
  designEffect: 1.5,
};

export const health: HealthView = {
  prompt: "support-bot",
  environment: "production",
  revision: 7,
  verdict: "watching",
  says: "nothing found so far; proof 1.2 of 3.0 for errors, 3.4 of 3.0 for times. errors 1.0 % on v2, 1.1 % on v3 (×1.10, 0.50 to 2.4) after 310 canary requests; evidence 0.4 of 6.7",
  isFrozen: false,
  comparisons: [
    {
      baseline: 2,
      canary: 3,
      since: "2026-03-01T11:57:30.000Z",
      verdict: "watching",
      says: "nothing found so far; proof 1.2 of 3.0 for errors, 3.4 of 3.0 for times. errors 1.0 % on v2, 1.1 % on v3 (×1.10, 0.50 to 2.4) after 310 canary requests; evidence 0.4 of 6.7",
      guards: [guard],
      split: null,
      gate: { isOpen: false, errors: 1.2, time: 3.4, threshold: 2.996 },
    },
  ],
  upstream: [],
  modelChanges: [],
};

export const diagnosis: Diagnosis = {
  prompt: "support-bot",
  environment: "production",
  since: "2026-02-28T12:00:00.000Z",
  until: NOW,
  summary: "Likeliest: the prompt. Since 2026-03-01T11:58:00.000Z errors rose from 0.10 % to 10 %.",
  onset: { at: "2026-03-01T11:58:00.000Z", until: null, metric: "errors", before: 0.001, after: 0.1 },
  suspects: [
    {
      cause: "prompt",
      for: ["answers that failed: 10 % of v3, 0.1 % of v2 (648 and 12304 on the same traffic)"],
      against: [],
      weight: 0.9,
    },
    {
      cause: "caller",
      for: ["requests that sent the tools 9f3c began (640 since), 1 min before"],
      against: ["the canary is worse, and the baseline is as it was"],
      weight: 0.4,
    },
  ],
  timeline: [
    { at: "2026-03-01T11:58:00.000Z", kind: "onset", says: "errors rose from 0.10 % to 10 %" },
    {
      at: "2026-03-01T11:57:30.000Z",
      kind: "release",
      says: "revision 7, canary by alice (v2 95 %, v3 5 %): first look",
    },
  ],
  errorClasses: [
    { version: 2, arm: "baseline", requests: 12_304, errors: 12, classes: { server_error: 12 } },
    { version: 3, arm: "canary", requests: 648, errors: 65, classes: { invalid_request: 60, timeout: 5 } },
  ],
};

export const SAMPLES: { [id in OperationId]: Answer<id> } = {
  listPrompts: { prompts: [prompt] },
  putPrompt: prompt,
  getPrompt: prompt,
  archivePrompt: { ...prompt, archivedAt: NOW },
  pushVersion: push,
  listVersions: { prompt: "support-bot", versions },
  getVersion: version,
  diffVersions: {
    prompt: "support-bot",
    from: 2,
    to: 3,
    unified: "--- v2\n+++ v3\n@@ -1 +1 @@\n-Be friendly.\n+Be brief.\n",
    changes: { messages: [], model: [], params: [], variables: [] },
  },
  renderPrompt: {
    prompt: "support-bot",
    version: 3,
    provider: "openai",
    path: "/v1/chat/completions",
    body: { model: "gpt-5.4-mini", messages: [{ role: "system", content: "You help users of Acme." }] },
    text: "{}",
  },
  revokeVersion: revocation,
  getRelease: release,
  canary: { ...release, revision: 8 },
  promote: {
    ...release,
    revision: 8,
    baseline: 3,
    arms: [{ ...release.arms[1]!, weight: 100, arm: "baseline" }],
  },
  rollback,
  getRamp: { prompt: "support-bot", environment: "production", revision: 8, ramp },
  startRamp: ramping,
  pauseRamp: {
    ...ramping,
    ramp: { ...ramp, state: "paused", notBefore: null, says: "paused at 5 %; resume it to go on" },
  },
  resumeRamp: ramping,
  stopRamp: { ...release, revision: 9, action: "ramp" },
  listEnvironments: { prompt: "support-bot", environments: ["production", "staging"] },
  getHealth: health,
  diagnose: diagnosis,
  listEvents: {
    prompt: "support-bot",
    environment: "production",
    events: [
      {
        id: 12,
        environment: "production",
        at: "2026-03-01T11:58:00.000Z",
        revision: 7,
        kind: "verdict",
        says: `watching: ${health.says}`,
        data: { from: "waiting", to: "watching", baseline: 2, canary: 3, guards: [] },
      },
    ],
    nextBefore: null,
  },
  listRevisions: {
    prompt: "support-bot",
    environment: "production",
    revisions: [
      revision({
        revision: 8,
        action: "rollback",
        reason: "wrong refunds",
        before: routing(7, 2, [{ version: 3, weight: 5 }]),
        after: routing(8, 2),
      }),
      revision({
        revision: 7,
        action: "canary",
        actor: "ci",
        reason: "first look",
        before: routing(6, 2),
        after: routing(7, 2, [{ version: 3, weight: 5 }]),
      }),
    ],
    nextBefore: 7,
  },
  getJudge: {
    prompt: "support-bot",
    judge: { ...JUDGE_DEFAULTS, prompt: "answer-judge", provider: "openai" },
    days: [{ day: "2026-03-01", answers: 120, failures: 3, nanoUsd: 210_500_000 }],
  },
  giveFeedback: {
    prompt: "support-bot",
    environment: "production",
    revision: 7,
    version: 3,
    arm: "canary",
    reason: "split",
    result: "counted",
  },
  listFeedback: {
    prompt: "support-bot",
    environment: "production",
    totals: [
      { version: 3, name: "thumbs", up: 12, down: 9, scores: 0, meanScore: null, labels: 0 },
      { version: 2, name: "score", up: 0, down: 0, scores: 41, meanScore: 0.8125, labels: 0 },
    ],
    feedback: [
      {
        id: 62,
        requestId: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        revision: 7,
        version: 3,
        arm: "canary",
        reason: "split",
        turn: "first",
        name: "thumbs",
        value: false,
        comment: "It promised a refund.",
        by: "checkout",
        servedAt: "2026-03-01T11:58:00.000Z",
        at: "2026-03-01T11:59:00.000Z",
      },
    ],
    nextBefore: 62,
  },
  explain: {
    prompt: "support-bot",
    environment: "production",
    key: "conversation-42",
    version: 3,
    arm: "canary",
    reason: "split",
    revision: 7,
    bucket: 9731,
    salt: "salt",
    slots: [{ version: 3, from: 9500, to: 10_000 }],
    algorithm: "fnv1a-murmur3",
  },
  getMetrics: metrics,
  whoami: { name: "admin", role: "admin" },
  listKeys: { keys: [key, { ...key, id: "key_2", name: "old", prompts: [], revokedAt: NOW }] },
  mintKey: { ...key, key: MINTED_KEY },
  revokeKey: { ...key, revokedAt: NOW },
  listProviders: {
    providers: [
      {
        name: "openai",
        origin: "https://api.openai.com",
        secret: "OPENAI_API_KEY",
        can: ["pass-through", "prompts", "proxy-keys"],
        problems: [],
      },
      {
        name: "azure",
        origin: null,
        secret: null,
        can: [],
        problems: [{ message: "It has no host.", mend: "Set the var UPSTREAM_AZURE." }],
      },
    ],
  },
  listTokens: { tokens: [token, { ...token, id: "tok_2", name: "old", revokedAt: NOW }] },
  mintToken: { ...token, token: MINTED },
  revokeToken: { ...token, revokedAt: NOW },
};
