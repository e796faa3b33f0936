// What an answer cost, by the prices that pydantic/genai-prices maintains (a table of ours would be wrong within a month).
// Guarantees: an unknown model, provider or usage costs null, never zero; nothing here throws; the package is loaded with
// the first answer that has a price to be looked up, when that answer has gone down already.

import type { AnswerFacts, Cost, Usage } from "../core/metering/outcome.ts";
import { makerOf } from "../core/providers.ts";

type Package = typeof import("@pydantic/genai-prices");
type Priced = { provider: string; askedModel: string | null; facts: AnswerFacts };
type PricedProvider = NonNullable<ReturnType<Package["findProvider"]>>;

/** Our name of a provider → the package's. Any other host's prices are its own affair, hence unknown. */
const PRICED: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  gemini: "google",
  azure: "azure",
  bedrock: "aws",
  "workers-ai": "cloudflare",
  openrouter: "openrouter",
  groq: "groq",
  mistral: "mistral",
  deepseek: "deepseek",
  xai: "x-ai",
  together: "together",
  fireworks: "fireworks",
};

const NANO_USD = 1_000_000_000;
const MOST_MODELS = 200;

let loaded: Package | null = null;

/** `provider model` → the package's provider with that one model, null where it knows none: the search through all models
 * costs more than the price does. Constraints by date and time of day stay in force, as the package applies them. */
const found = new Map<string, PricedProvider | null>();

/** The model that answered is priced, and where nobody knows it, the one that was asked for. `fullNanoUsd` prices every
 * token of the input as if the provider's cache did not exist. Cache writes are priced as those for five minutes. A promise
 * only until the package is there: waiting costs 14 µs a request. */
export function priceAnswer(asked: Priced): Cost | null | Promise<Cost | null> {
  const { usage } = asked.facts;
  const id = PRICED[makerOf(asked.provider)];
  if (id === undefined || usage === null || usage.inputTokens === null || usage.outputTokens === null) {
    return null;
  }
  if (loaded !== null) return costBy(loaded, id, usage, asked);
  const loading = import("@pydantic/genai-prices").then((prices) =>
    costBy((loaded = prices), id, usage, asked),
  );
  return loading.catch(() => null);
}

function costBy(prices: Package, id: string, usage: Usage, { facts, askedModel }: Priced): Cost | null {
  try {
    for (const model of [facts.model, askedModel]) {
      const cost = model === null || model === "" ? null : costOf(prices, id, nameModel(model), usage);
      if (cost !== null) return cost;
    }
    return null;
  } catch {
    return null;
  }
}

function costOf(prices: Package, id: string, model: string, usage: Usage): Cost | null {
  const provider = findModel(prices, id, model);
  if (provider === null) return null;
  const plain = { input_tokens: usage.inputTokens ?? 0, output_tokens: usage.outputTokens ?? 0 };
  const read = usage.cachedInputTokens ?? 0;
  const written = usage.cacheWriteTokens ?? 0;
  const full = totalOf(prices, plain, model, provider);
  const billed =
    read + written === 0
      ? full
      : totalOf(prices, { ...plain, cache_read_tokens: read, cache_write_tokens: written }, model, provider);
  return full === null || billed === null ? null : { nanoUsd: billed, fullNanoUsd: full };
}

function totalOf(
  prices: Package,
  usage: Record<string, number>,
  model: string,
  provider: PricedProvider,
): number | null {
  const total = prices.calcPrice(usage, model, { provider })?.total_price;
  const nanoUsd = total === undefined ? Number.NaN : Math.round(total * NANO_USD);
  return Number.isSafeInteger(nanoUsd) && nanoUsd >= 0 ? nanoUsd : null;
}

function findModel(prices: Package, id: string, model: string): PricedProvider | null {
  const key = `${id} ${model}`;
  const held = found.get(key);
  if (held !== undefined) return held;
  const price = prices.calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId: id });
  const narrowed =
    price === null ? null : { ...price.provider, models: [price.model], fallback_model_providers: [] };
  if (found.size >= MOST_MODELS) found.clear();
  found.set(key, narrowed);
  return narrowed;
}

/** As the package writes models: `models/gemini-2.5-pro` and ARNs of Bedrock end in the name. */
function nameModel(model: string): string {
  if (model.startsWith("models/")) return model.slice("models/".length);
  return model.startsWith("arn:") ? model.slice(model.lastIndexOf("/") + 1) : model;
}
