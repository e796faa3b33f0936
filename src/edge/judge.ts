// Has an answer judged after it has been given: the judge is a prompt like any other, asked through this Worker's own data
// plane with the provider's secret that the Worker holds, never with the client's. Nobody waits for it and nothing that
// goes wrong here reaches a request: it is counted, and logged without a word of what was asked or answered.

import { UNKNOWN_NANO_USD } from "../core/judge-budget.ts";
import { cutToBytes, readScore } from "../core/judging.ts";
import type { Judgement } from "../core/metering/judged.ts";
import { nameOfError } from "../core/problem.ts";
import { createAnswerReader } from "../wire/answer-reader.ts";
import type { AnswerReading } from "../wire/answer-reading.ts";
import { matchEndpoint } from "../wire/formats.ts";
import { buildJudgeRequest } from "../wire/judge-request.ts";
import { mayJudge, withoutVanished, type JudgeSample, type Judging } from "./judge-draw.ts";
import { sleep, within } from "./time.ts";

/** What the rest of the edge does for a judge. */
export type JudgeMeans = {
  /** Asks the data plane as the Worker itself. */
  ask(request: Request): Promise<Response>;
  /** Billionths of a dollar; null: the model's price or the usage is not known. */
  costOf(reading: AnswerReading): Promise<number | null>;
  count(stamp: JudgeSample["stamp"], judgement: Judgement): void;
};

/** Together less than the 30 s that a request lives behind its answer. */
const WAIT_MS = 8_000;
const ASK_MS = 18_000;
const LOOK_EVERY_MS = 50;
const WARN_EVERY_MS = 60_000;
/** The host is never looked up: the request goes to this very Worker. */
const ORIGIN = "https://switchback.invalid";

/** Never rejects. */
export async function judgeAnswer(
  judging: Judging,
  sample: JudgeSample,
  answer: string,
  means: JudgeMeans,
): Promise<void> {
  if (!mayJudge(judging, Date.now())) return;
  judging.allowance -= 1;
  const startedAtMs = await takeSlot(judging, sample.settings.concurrency);
  if (startedAtMs === null) return;
  try {
    const judgement = await askJudge(judging, sample, answer, means);
    means.count(sample.stamp, judgement);
  } catch (error) {
    warn(judging, sample, nameOfError(error));
    means.count(sample.stamp, { score: null, nanoUsd: UNKNOWN_NANO_USD });
  } finally {
    remove(judging.running, startedAtMs);
  }
}

/** null: there were others before it for too long. Found free and taken in one go. */
async function takeSlot(judging: Judging, concurrency: number): Promise<number | null> {
  const sinceMs = Date.now();
  judging.waiting.push(sinceMs);
  try {
    for (let nowMs = sinceMs; nowMs - sinceMs < WAIT_MS; nowMs = Date.now()) {
      judging.running = withoutVanished(judging.running, nowMs);
      if (judging.running.length < concurrency) {
        judging.running.push(nowMs);
        return nowMs;
      }
      await sleep(LOOK_EVERY_MS);
    }
    return null;
  } finally {
    remove(judging.waiting, sinceMs);
  }
}

function remove(startsMs: number[], startMs: number): void {
  const at = startsMs.indexOf(startMs);
  if (at >= 0) startsMs.splice(at, 1);
}

async function askJudge(
  judging: Judging,
  sample: JudgeSample,
  answer: string,
  { ask, costOf }: JudgeMeans,
): Promise<Judgement> {
  const { settings, question } = sample;
  const { prompt, provider, maxBytes } = settings;
  const variables = { question: cutToBytes(question, maxBytes), answer: cutToBytes(answer, maxBytes) };
  const { path, headers, body } = buildJudgeRequest(provider, prompt, variables);
  const request = new Request(`${ORIGIN}/p/${prompt}/${provider}${path}`, {
    method: "POST",
    // A key of its own: else all that is ever judged would be one unit to a judge that has a canary itself.
    headers: { ...headers, "accept-encoding": "identity", "prompt-key": crypto.randomUUID() },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ASK_MS),
  });
  const response = await within(ASK_MS, ask(request));
  if (response === undefined) return failed(judging, sample, "no answer in time", UNKNOWN_NANO_USD);
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    const code = response.headers.get("prompt-error") ?? "";
    // What a provider refuses it does not charge for; one that was cut off may have worked.
    const nanoUsd = response.status === 499 ? UNKNOWN_NANO_USD : 0;
    return failed(judging, sample, `status ${response.status} ${code}`.trimEnd(), nanoUsd);
  }
  const rules = matchEndpoint(provider, path)!.format.answers;
  const reader = createAnswerReader(rules, "whole", { collectsText: true });
  const bytes = await within(ASK_MS, response.arrayBuffer());
  if (bytes === undefined) return failed(judging, sample, "no answer in time", UNKNOWN_NANO_USD);
  reader.push(new Uint8Array(bytes));
  const reading = reader.finish();
  const nanoUsd = (await costOf(reading)) ?? UNKNOWN_NANO_USD;
  const score = readScore(reading.text ?? "");
  return score === null ? failed(judging, sample, "no score", nanoUsd) : { score, nanoUsd };
}

function failed(judging: Judging, sample: JudgeSample, why: string, nanoUsd: number): Judgement {
  warn(judging, sample, why);
  return { score: null, nanoUsd };
}

/** Once a minute: a judge that is down fails for every answer. */
function warn(judging: Judging, { settings }: JudgeSample, why: string): void {
  const nowMs = Date.now();
  if (nowMs - judging.warnedAtMs < WARN_EVERY_MS) return;
  judging.warnedAtMs = nowMs;
  console.warn(JSON.stringify({ event: "judge_failed", judge: settings.prompt, why }));
}
