// `npm run conformance`: runs the cases against any LLM gateway and says what was seen. Exit code 0 nothing failed,
// 1 some case failed, 2 wrong usage or the gateway never calls the stand-in provider.

import { readFileSync, writeFileSync } from "node:fs";
import { CASES } from "./cases/index.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import type { PresetName } from "./presets/names.ts";
import { startPreset, type Started } from "./presets/start.ts";
import {
  type Column,
  describeCases,
  describeResult,
  describeSummary,
  placeTable,
  writeTable,
} from "./report.ts";
import { DEFAULT_PACE, findOut, openBench, runCases, selectCases } from "./runner.ts";
import type { Target } from "./target.ts";

const DONE = 0;
const FAILED = 1;
const MISUSED = 2;

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  if ("misuse" in options) return refuse(options.misuse);
  if (options.help) return say(USAGE);
  if (options.list) return say(`${describeCases(selectCases(options.only))}\n`);
  if (selectCases(options.only).length === 0) {
    return refuse(`--only ${options.only}: no case. There are: ${CASES.map(({ name }) => name).join(", ")}.`);
  }
  const columns: Column[] = [];
  for (const target of options.targets) {
    const column = await runTarget(target, options);
    if (typeof column === "string") return refuse(column);
    columns.push(column);
  }
  if (options.json) console.log(JSON.stringify(columns, null, 2));
  const wrong = options.table === null ? null : saveTable(options.table, writeTable(columns));
  if (wrong !== null) return refuse(wrong);
  return columns.some(({ results }) => results.some(({ result }) => result === "fail")) ? FAILED : DONE;
}

/** The gateway's column, or why it cannot be run. */
async function runTarget(target: PresetName | Target, options: Options): Promise<Column | string> {
  const isPreset = typeof target === "string";
  const bench = await openBench(options.upstreamHost, isPreset ? 0 : options.upstreamPort);
  let started: Started | null = null;
  try {
    started = isPreset ? await startPreset(target, bench.upstream.port) : { target, stop: () => undefined };
    if (started === null) return `${String(target)} is not installed: npm ci --prefix bench`;
    const pace = { ...DEFAULT_PACE, deadlineMs: options.deadlineMs };
    const wrong = await findOut(started.target, bench, pace);
    if (wrong !== null) {
      return `${started.target.url.origin} does not call the kit's provider at http://127.0.0.1:${bench.upstream.port}: ${wrong}`;
    }
    const quiet = options.json || options.table === "-";
    const onResult = quiet
      ? undefined
      : (result: Parameters<typeof describeResult>[0]) => console.log(describeResult(result));
    const results = await runCases(started.target, bench, {
      pace,
      only: options.only,
      ...(onResult !== undefined && { onResult }),
    });
    if (!quiet) console.log(`\n${describeSummary(started.target.name, results)}\n`);
    return { gateway: started.target.name, results };
  } finally {
    started?.stop();
    await bench.stop();
  }
}

/** null when it is saved, else why not. */
function saveTable(file: string, table: string): string | null {
  if (file === "-") {
    process.stdout.write(table);
    return null;
  }
  const placed = placeTable(readFileSync(file, "utf8"), table);
  if (placed === null) return `${file} has no place for the table.`;
  writeFileSync(file, placed);
  return null;
}

function say(text: string): number {
  process.stdout.write(text);
  return DONE;
}

function refuse(text: string): number {
  process.stderr.write(`${text}\n\nnpm run conformance -- --help says how.\n`);
  return MISUSED;
}

process.exitCode = await main(process.argv.slice(2));
