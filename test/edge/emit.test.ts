// What goes out of a finished call: names, the unknown left out, nothing that is secret, and nothing that can fail.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../src/env.ts";
import type { CallRecord } from "../../src/edge/call-record.ts";
import { BLOBS, DOUBLES, toDataPoint, type DataPoint } from "../../src/edge/data-point.ts";
import { emitRecord } from "../../src/edge/emit.ts";
import { describeCall, isLogged } from "../../src/edge/log-line.ts";

const GOOD: CallRecord = {
  requestId: "40000000-0000-4000-8000-000000000000",
  prompt: "support-bot",
  environment: "production",
  provider: "openai",
  askedModel: "gpt-4o",
  stamp: { revision: 12, version: 7, arm: "canary", reason: "split", turn: "first", unitBucket: 3 },
  outcome: {
    kind: "ok",
    status: 200,
    errorClass: null,
    isHung: false,
    firstTokenMs: 312,
    totalMs: 1_840,
    answer: {
      usage: {
        inputTokens: 1_000,
        outputTokens: 100,
        cachedInputTokens: 800,
        cacheWriteTokens: 0,
        reasoningTokens: null,
      },
      finish: "tool",
      model: "gpt-4o-2024-08-06",
      fingerprint: "fp_1",
      isSchemaFailure: false,
    },
    cost: { nanoUsd: 2_500_000, fullNanoUsd: 3_500_000 },
  },
  streams: true,
};

const LOST: CallRecord = {
  ...GOOD,
  askedModel: null,
  outcome: {
    kind: "error",
    status: null,
    errorClass: "unreachable",
    isHung: false,
    firstTokenMs: null,
    totalMs: null,
    answer: null,
    cost: null,
  },
};

afterEach(() => void vi.restoreAllMocks());

function watchLog(): string[] {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  return lines;
}

/** What `emitRecord` reads of the bindings. */
function envOf(part: Pick<Env, "LOG_REQUESTS" | "ANALYTICS">): Env {
  return part as Env;
}

function named(point: DataPoint): Record<string, string | number> {
  const blobs = BLOBS.map((name, index) => [`blob ${name}`, point.blobs[index]!]);
  const doubles = DOUBLES.map((name, index) => [`double ${name}`, point.doubles[index]!]);
  return Object.fromEntries([...blobs, ...doubles]);
}

describe("the log line", () => {
  it("has OTel's names for the model, the usage and the flag", () => {
    expect(describeCall(GOOD)).toEqual({
      event: "request",
      "switchback.request.id": GOOD.requestId,
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.response.model": "gpt-4o-2024-08-06",
      "gen_ai.response.finish_reasons": ["tool_call"],
      "gen_ai.response.time_to_first_chunk": 0.312,
      "gen_ai.usage.input_tokens": 1_000,
      "gen_ai.usage.output_tokens": 100,
      "gen_ai.usage.cache_read.input_tokens": 800,
      "gen_ai.usage.cache_creation.input_tokens": 0,
      "gen_ai.prompt.name": "support-bot",
      "gen_ai.prompt.version": "7",
      "feature_flag.key": "support-bot",
      "feature_flag.set.id": "production",
      "feature_flag.provider.name": "switchback",
      "feature_flag.result.variant": "v7",
      "feature_flag.result.reason": "split",
      "feature_flag.version": "12",
      "http.response.status_code": 200,
      "switchback.arm": "canary",
      "switchback.reason": "split",
      "switchback.turn": "first",
      "switchback.streams": true,
      "switchback.outcome": "ok",
      "switchback.duration_ms": 1_840,
      "switchback.cost_usd": 0.0025,
      "switchback.full_cost_usd": 0.0035,
      "switchback.response.fingerprint": "fp_1",
      "switchback.schema_failure": false,
    });
  });

  it("leaves out what nobody knows, and names the error", () => {
    const line = describeCall(LOST);
    expect(line["error.type"]).toBe("unreachable");
    const unknown = Object.keys(line).filter((name) =>
      /usage|cost|response|duration|request\.model/.test(name),
    );
    expect(unknown).toEqual([]);
    expect(Object.values(line)).not.toContain(null);
  });

  it("calls a client that waited in vain a timeout", () => {
    const hung = { ...LOST.outcome, kind: "aborted", errorClass: null, isHung: true } as const;
    const line = describeCall({ ...LOST, outcome: hung });
    expect(line).toMatchObject({ "error.type": "timeout", "switchback.hung": true });
  });

  it("calls providers as OTel's registry does, other hosts of theirs too", () => {
    const names = ["gemini", "azure-eu", "bedrock", "mistral", "xai", "my-own"];
    const calls = names.map((provider) => describeCall({ ...GOOD, provider })["gen_ai.provider.name"]);
    expect(calls).toEqual(["gcp.gemini", "azure.ai.openai", "aws.bedrock", "mistral_ai", "x_ai", "my-own"]);
  });

  it("cuts a name that somebody made long", () => {
    const line = describeCall({ ...GOOD, askedModel: "x".repeat(5_000) });
    expect(line["gen_ai.request.model"]).toHaveLength(200);
  });
});

describe("which requests are logged", () => {
  it("is errors where nothing sensible is said", () => {
    for (const setting of [undefined, "", "errors", "Errors ", "sometimes", "-1", "1e9", "Infinity"]) {
      expect(isLogged(setting, GOOD), setting).toBe(false);
      expect(isLogged(setting, LOST), setting).toBe(true);
    }
  });

  it("is all or none on demand", () => {
    expect([isLogged("all", GOOD), isLogged("all", LOST)]).toEqual([true, true]);
    expect([isLogged("off", GOOD), isLogged("off", LOST)]).toEqual([false, false]);
  });

  it("is a share of the good ones by their ids, and every error", () => {
    // The id's first digits stand for a quarter.
    expect([isLogged("0.25", GOOD), isLogged("0.26", GOOD), isLogged("1", GOOD)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(isLogged("0", LOST)).toBe(true);
  });

  it("is the wanted share of random ids", () => {
    const ids = Array.from({ length: 4_000 }, () => crypto.randomUUID());
    const logged = ids.filter((requestId) => isLogged("0.1", { ...GOOD, requestId })).length;
    expect(logged).toBeGreaterThan(280);
    expect(logged).toBeLessThan(520);
  });
});

describe("the point of Analytics Engine", () => {
  it("keeps to the platform's limits, whatever the names", () => {
    const long = "x".repeat(20_000);
    const { indexes, blobs, doubles } = toDataPoint({
      ...GOOD,
      prompt: "p".repeat(200),
      askedModel: long,
      requestId: long,
    });
    expect(indexes).toHaveLength(1);
    expect(new TextEncoder().encode(indexes[0]).length).toBeLessThanOrEqual(96);
    expect(blobs.length).toBeLessThanOrEqual(20);
    expect(doubles.length).toBeLessThanOrEqual(20);
    expect(new TextEncoder().encode(blobs.join("")).length).toBeLessThanOrEqual(16 * 1024);
  });

  it("has each value in its own column", () => {
    expect(toDataPoint(GOOD).indexes).toEqual(["support-bot:7"]);
    expect(named(toDataPoint(GOOD))).toMatchObject({
      "blob prompt": "support-bot",
      "blob version": "7",
      "blob arm": "canary",
      "blob response_model": "gpt-4o-2024-08-06",
      "blob error_class": "",
      "blob schema": "kept",
      "double total_ms": 1_840,
      "double input_tokens": 1_000,
      "double cost_usd": 0.0025,
      "double cost_known": 1,
      "double failed": 0,
      "double revision": 12,
    });
  });

  it("says that a zero is one that nobody knows", () => {
    expect(named(toDataPoint(LOST))).toMatchObject({
      "double cost_usd": 0,
      "double cost_known": 0,
      "double usage_known": 0,
      "double total_known": 0,
      "double first_token_known": 0,
      "double failed": 1,
    });
  });
});

describe("sending out", () => {
  it("writes a line that is JSON, and a point where the dataset is bound", () => {
    const lines = watchLog();
    const points: unknown[] = [];
    const env = envOf({
      LOG_REQUESTS: "all",
      ANALYTICS: { writeDataPoint: (point) => void points.push(point) },
    });
    emitRecord(GOOD, env);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([describeCall(GOOD)]);
    expect(points).toEqual([toDataPoint(GOOD)]);
  });

  it("writes the one where the other fails, and throws in no case", () => {
    const lines = watchLog();
    const refuses = {
      writeDataPoint() {
        throw new Error("more than 250 points");
      },
    };
    emitRecord(LOST, envOf({ ANALYTICS: refuses }));
    expect(lines).toHaveLength(1);
    const points: unknown[] = [];
    vi.spyOn(console, "log").mockImplementation(() => {
      throw new Error("no log");
    });
    emitRecord(LOST, envOf({ ANALYTICS: { writeDataPoint: (point) => void points.push(point) } }));
    expect(points).toHaveLength(1);
    expect(() => emitRecord({} as CallRecord, envOf({ ANALYTICS: refuses }))).not.toThrow();
  });
});
