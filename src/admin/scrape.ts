// `GET /metrics` for Prometheus: all prompts in all their environments, a few at a time and no more than one invocation can
// ask. Guarantees: it takes a token like everything of the control plane; a Control that is out of reach costs its own
// samples and no one else's, and the scrape says so; however many versions there were, an answer is at most 4 MB of text,
// because the isolate that writes it has 128 MB and serves traffic meanwhile.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import { describeBounds, describeReleases, type ScrapedRelease } from "./prometheus.ts";
import { joinWritten, PROMETHEUS_TYPE, writeSamples, type Written } from "./prometheus-text.ts";
import { callStub } from "./stubs.ts";

/** An invocation may have six connections open, and make 1,000 calls to objects: at most one a prompt and three a release,
 * each once again where it fails. */
const AT_A_TIME = 6;
const MOST_PROMPTS = 100;
const MOST_RELEASES = 130;
/** All of it is ASCII. A version takes 9 KB an arm. */
const MOST_BYTES = 4_000_000;

/** `?prompt=…`, as often as wanted, narrows it: how more prompts than one scrape takes are scraped. `invalid_request`:
 * another parameter. `prompt_not_found`: there never was such a prompt; one that is archived has no samples. */
export async function answerScrape(request: Request, env: Env): Promise<Response | Problem> {
  const { searchParams } = new URL(request.url);
  const unknown = [...searchParams.keys()].find((name) => name !== "prompt");
  if (unknown !== undefined) {
    const message = `The query's ${unknown.slice(0, 64)} is not known here: a scrape takes prompt, as often as wanted.`;
    return problem("invalid_request", message, { field: unknown });
  }
  const written = await writeScrape(env, searchParams.getAll("prompt"));
  if (isProblem(written)) return written;
  return new Response(joinWritten(written), {
    headers: { "content-type": PROMETHEUS_TYPE, "cache-control": "no-store" },
  });
}

async function writeScrape(env: Env, wanted: string[]): Promise<Written[] | Problem> {
  const names = await listNames(env, wanted);
  if (isProblem(names)) return names;
  const asked = names.slice(0, MOST_PROMPTS);
  const environments = await inTurn(asked, (name) => readEnvironments(env, name));
  const unread = environments.filter(isProblem).length;
  const pairs = environments.flatMap((found) => (isProblem(found) ? [] : found));
  const { written, read, failed } = await writeReleases(env, pairs.slice(0, MOST_RELEASES));
  const dropped = new Set(pairs.slice(read).map(({ prompt }) => prompt)).size;
  const bounds = { skipped: names.length - asked.length + dropped, failed: unread + failed };
  return [...written, ...writeSamples(describeBounds(bounds))];
}

/** Of those that have a version to serve. */
async function listNames(env: Env, wanted: string[]): Promise<string[] | Problem> {
  const listed = await callStub(
    () => env.REGISTRY.getByName(REGISTRY_NAME),
    (registry) => registry.list({ includeArchived: true }),
  );
  if (isProblem(listed)) return listed;
  const known = new Set(listed.map(({ name }) => name));
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined) {
    const message = `There is no prompt "${unknown.slice(0, 128)}": a scrape takes prompts by their names, not by aliases.`;
    return problem("prompt_not_found", message, { field: "prompt" });
  }
  return listed
    .filter(
      ({ kind, archivedAt, latestVersion }) => kind === "prompt" && archivedAt === null && latestVersion > 0,
    )
    .map(({ name }) => name)
    .filter((name) => wanted.length === 0 || wanted.includes(name))
    .toSorted();
}

/** `read`: how many of them the answer holds or found out of reach; the first ones, the same ones at the next scrape. */
type WrittenReleases = { written: Written[]; read: number; failed: number };

/** Each is text before the next one is asked, so that tallies of six are in memory and never those of all. */
async function writeReleases(env: Env, pairs: Pair[]): Promise<WrittenReleases> {
  let bytes = 0;
  const found = await inTurn(pairs, async (pair) => {
    if (bytes > MOST_BYTES) return null;
    const release = await readRelease(env, pair);
    if (isProblem(release)) return release;
    const written = writeSamples(describeReleases([release]));
    bytes += sizeOf(written);
    return written;
  });
  const result: WrittenReleases = { written: [], read: 0, failed: 0 };
  let left = MOST_BYTES;
  for (const one of found) {
    const size = one === null || isProblem(one) ? 0 : sizeOf(one);
    if (one === null || size > left) break;
    result.read += 1;
    left -= size;
    if (isProblem(one)) result.failed += 1;
    else result.written.push(...one);
  }
  return result;
}

function sizeOf(written: Written[]): number {
  return written.reduce((sum, { lines }) => sum + lines.length, 0);
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
