// `GET /metrics` for Prometheus: all prompts in all their environments, a few at a time and no more than one invocation can
// ask. Guarantees: it takes a token like everything of the control plane; a Control that is out of reach costs its own
// samples and no one else's, and the scrape says so.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import { describeScrape, type Scrape, type ScrapedRelease } from "./prometheus.ts";
import { PROMETHEUS_TYPE, writeFamilies } from "./prometheus-text.ts";
import { callStub } from "./stubs.ts";

export const SCRAPE_PATH = "/metrics";

/** An invocation may have six connections open, and make 1,000 calls to objects: at most one a prompt and three a release,
 * each once again where it fails. */
const AT_A_TIME = 6;
const MOST_PROMPTS = 100;
const MOST_RELEASES = 130;

/** `?prompt=…`, as often as wanted, narrows it: how more prompts than one scrape takes are scraped. */
export async function answerScrape(request: Request, env: Env): Promise<Response | Problem> {
  const wanted = new URL(request.url).searchParams.getAll("prompt");
  const scrape = await scrapeReleases(env, wanted);
  if (isProblem(scrape)) return scrape;
  return new Response(writeFamilies(describeScrape(scrape)), {
    headers: { "content-type": PROMETHEUS_TYPE, "cache-control": "no-store" },
  });
}

async function scrapeReleases(env: Env, wanted: string[]): Promise<Scrape | Problem> {
  const listed = await callStub(
    () => env.REGISTRY.getByName(REGISTRY_NAME),
    (registry) => registry.list({ includeArchived: false }),
  );
  if (isProblem(listed)) return listed;
  const names = listed
    .filter(
      ({ kind, name, latestVersion }) => kind === "prompt" && latestVersion > 0 && isWanted(name, wanted),
    )
    .map(({ name }) => name)
    .toSorted();
  const asked = names.slice(0, MOST_PROMPTS);
  const environments = await inTurn(asked, (name) => readEnvironments(env, name));
  const unread = environments.filter(isProblem).length;
  const pairs = environments.flatMap((found) => (isProblem(found) ? [] : found));
  const kept = pairs.slice(0, MOST_RELEASES);
  const dropped = new Set(pairs.slice(MOST_RELEASES).map(({ prompt }) => prompt)).size;
  const read = await inTurn(kept, (pair) => readRelease(env, pair));
  const releases = read.filter((found): found is ScrapedRelease => !isProblem(found));
  return {
    releases,
    skipped: names.length - asked.length + dropped,
    failed: unread + read.length - releases.length,
  };
}

function isWanted(name: string, wanted: string[]): boolean {
  return wanted.length === 0 || wanted.includes(name);
}

type Pair = { prompt: string; environment: string };

async function readEnvironments(env: Env, prompt: string): Promise<Pair[] | Problem> {
  const found = await callSafely(env, prompt, (control) => control.readEnvironments());
  return isProblem(found) ? found : found.map((environment) => ({ prompt, environment }));
}

async function readRelease(env: Env, { prompt, environment }: Pair): Promise<ScrapedRelease | Problem> {
  const release = await callSafely(env, prompt, (control) => control.readRelease(environment));
  if (isProblem(release)) return release;
  const health = await callSafely(env, prompt, (control) => control.readHealth(environment));
  if (isProblem(health)) return health;
  const tallies = await callSafely(env, prompt, (control) => control.readTotals(environment));
  return isProblem(tallies) ? tallies : { release, health, tallies };
}

/** An object's bug is not the others' either. */
async function callSafely<Answer>(
  env: Env,
  prompt: string,
  call: (control: ReturnType<Env["CONTROL"]["getByName"]>) => Promise<Answer | Problem>,
): Promise<Answer | Problem> {
  try {
    return await callStub(() => env.CONTROL.getByName(prompt), call);
  } catch {
    return problem("release_unavailable", "The object that holds this state failed.");
  }
}

/** What comes of each, in order; `AT_A_TIME` are under way at once. */
async function inTurn<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, worker));
  return results;
}
