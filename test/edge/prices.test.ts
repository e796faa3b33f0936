// Prices as the maintained package has them: what is unknown stays unknown, and cache discounts are told apart.

import { describe, expect, it } from "vitest";
import { calcPrice } from "@pydantic/genai-prices";
import type { Usage } from "../../src/core/metering/outcome.ts";
import { priceAnswer } from "../../src/edge/prices.ts";

const USAGE: Usage = {
  inputTokens: 1_000,
  outputTokens: 100,
  cachedInputTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
};

function price(
  provider: string,
  model: string | null,
  usage: Partial<Usage> | null = {},
  askedModel: string | null = null,
) {
  const facts = {
    usage: usage === null ? null : { ...USAGE, ...usage },
    finish: null,
    model,
    fingerprint: null,
    isSchemaFailure: null,
  };
  return priceAnswer({ provider, askedModel, facts });
}

describe("the price of an answer", () => {
  it("is known for a model of every provider that has one", async () => {
    const models: [string, string][] = [
      ["openai", "gpt-4o-2024-08-06"],
      ["anthropic", "claude-sonnet-4-5-20250929"],
      ["gemini", "models/gemini-2.5-flash"],
      ["azure", "gpt-4o"],
      ["azure-eu", "gpt-4o"],
      ["bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
      [
        "bedrock",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      ],
      ["workers-ai", "@cf/meta/llama-3.1-8b-instruct"],
      ["openrouter", "openai/gpt-4o"],
      ["groq", "llama-3.3-70b-versatile"],
      ["mistral", "mistral-small-latest"],
      ["deepseek", "deepseek-chat"],
      ["xai", "grok-4"],
      ["together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
      ["fireworks", "accounts/fireworks/models/gpt-oss-120b"],
    ];
    const unknown: string[] = [];
    for (const [provider, model] of models) {
      const cost = await price(provider, model);
      if (cost === null || !(cost.nanoUsd > 0) || !Number.isInteger(cost.nanoUsd)) unknown.push(model);
    }
    expect(unknown).toEqual([]);
  });

  it("is what the package says, in whole billionths of a dollar", async () => {
    const expected = calcPrice({ input_tokens: 1_000, output_tokens: 100 }, "gpt-4o", {
      providerId: "openai",
    });
    const nanoUsd = Math.round(expected!.total_price * 1e9);
    expect(await price("openai", "gpt-4o")).toEqual({ nanoUsd, fullNanoUsd: nanoUsd });
  });

  it("keeps what is billed apart from what it would be without the provider's cache", async () => {
    const read = await price("anthropic", "claude-sonnet-4-5", { cachedInputTokens: 800 });
    const written = await price("anthropic", "claude-sonnet-4-5", { cacheWriteTokens: 800 });
    const plain = await price("anthropic", "claude-sonnet-4-5");
    expect(read!.fullNanoUsd).toBe(plain!.fullNanoUsd);
    expect(written!.fullNanoUsd).toBe(plain!.fullNanoUsd);
    expect(read!.nanoUsd).toBeLessThan(plain!.nanoUsd);
    expect(written!.nanoUsd).toBeGreaterThan(plain!.nanoUsd);
  });

  it("goes by tiers of the input where a model has them", async () => {
    const small = await price("anthropic", "claude-sonnet-4-5", { inputTokens: 200_000, outputTokens: 0 });
    const large = await price("anthropic", "claude-sonnet-4-5", { inputTokens: 400_000, outputTokens: 0 });
    expect(large!.nanoUsd).toBeGreaterThan(2 * small!.nanoUsd);
  });

  it("goes by the model that answered, and by the one asked for where that is unknown", async () => {
    const mini = await price("openai", "gpt-4o-mini");
    expect(await price("openai", "gpt-4o-mini", {}, "gpt-4o")).toEqual(mini);
    expect(await price("openai", "my-deployment", {}, "gpt-4o-mini")).toEqual(mini);
    expect(await price("openai", null, {}, "gpt-4o-mini")).toEqual(mini);
  });

  it("is unknown, never zero, without a known model, provider or usage", async () => {
    expect(await price("openai", "nobody-knows-it")).toBeNull();
    expect(await price("somebody-else", "gpt-4o")).toBeNull();
    expect(await price("openai", null)).toBeNull();
    expect(await price("openai", "gpt-4o", null)).toBeNull();
    expect(await price("openai", "gpt-4o", { inputTokens: null })).toBeNull();
    expect(await price("openai", "gpt-4o", { outputTokens: null })).toBeNull();
  });

  it("is unknown where the usage contradicts itself, and throws nothing", async () => {
    expect(await price("openai", "gpt-4o", { cachedInputTokens: 5_000 })).toBeNull();
    expect(await price("openai", "gpt-4o", { inputTokens: -1 })).toBeNull();
    expect(await price("openai", "gpt-4o", { inputTokens: Number.NaN })).toBeNull();
  });
});
