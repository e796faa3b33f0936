// What the time series of one prompt costs: rows written per report, bytes a day, and the time that counting, folding and
// reading take, for an idle prompt, one of 1 request a second and one of 100, each with a canary at 10 % and conversations as
// units. Half an hour of simulated traffic through the code that runs in the object, on an in-process SQLite; days are
// extrapolated. Run: node bench/storage.ts

import { DatabaseSync } from "node:sqlite";
import { addReport } from "../src/control/reporters.ts";
import { countWithin, createSeries } from "../src/control/series.ts";
import { foldInPassing, totalsOf } from "../src/control/series-fold.ts";
import { readInTurns } from "../src/control/series-read.ts";
import { SERIES_TABLES } from "../src/control/series-rows.ts";
import type { Row, Sql } from "../src/control/sql.ts";
import type { Outcome } from "../src/core/metering/outcome.ts";
import { addToSums, createSums } from "../src/core/metering/sums.ts";
import { keyOf } from "../src/core/metering/tally.ts";
import type { Tally } from "../src/core/types.ts";

const START_S = 1_800_000_000;
const SECONDS = 1_800;
/** $ per million rows written, and per GB and month (Cloudflare's list price for SQLite in Durable Objects). */
const USD_PER_ROW = 1 / 1e6;
const USD_PER_BYTE_MONTH = 0.2 / 1e9;

const CASES = [
  { name: "1 request a second, 2 isolates", perSecond: 1, isolates: 2 },
  { name: "100 requests a second, 10 isolates", perSecond: 100, isolates: 10 },
  { name: "100 requests a second, 50 isolates", perSecond: 100, isolates: 50 },
];

type Writes = { rows: number };

function openSql(): { sql: Sql; database: DatabaseSync; writes: Writes } {
  const database = new DatabaseSync(":memory:");
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const writes: Writes = { rows: 0 };
  const exec = (statement: string, ...parameters: (string | number | null)[]): Row[] => {
    let prepared = statements.get(statement);
    if (prepared === undefined) statements.set(statement, (prepared = database.prepare(statement)));
    if (statement.startsWith("SELECT")) return prepared.all(...parameters) as Row[];
    writes.rows += Number(prepared.run(...parameters).changes);
    return [];
  };
  const sql: Sql = {
    exec,
    transaction(run) {
      database.exec("BEGIN");
      const result = run();
      database.exec("COMMIT");
      return result;
    },
    wakeBy() {},
  };
  for (const statement of SERIES_TABLES) database.exec(statement);
  database.exec(`CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID`);
  return { sql, database, writes };
}

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 4_294_967_296;
}

function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function createOutcome(): Outcome {
  const fails = random() < 0.01;
  const outputTokens = Math.round(300 * Math.exp(0.6 * normal()));
  const nanoUsd = 4_000_000 + outputTokens * 6_000;
  return {
    kind: fails ? "error" : "ok",
    status: fails ? 500 : 200,
    errorClass: fails ? "server_error" : null,
    isHung: false,
    firstTokenMs: 400 * Math.exp(0.6 * normal()),
    totalMs: 3_000 * Math.exp(0.8 * normal()),
    answer: {
      usage: {
        inputTokens: 1_500,
        outputTokens,
        cachedInputTokens: random() < 0.5 ? 1_024 : 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
      },
      finish: random() < 0.1 ? "tool" : "stop",
      model: "gpt-5.4-mini-2026-03-17",
      fingerprint: "fp_44709d6fcb",
      isSchemaFailure: null,
    },
    cost: { nanoUsd, fullNanoUsd: nanoUsd * 1.5 },
  };
}

/** What an isolate gathers in a second. */
function createTallies(requests: number): Tally[] {
  const tallies = new Map<string, Tally>();
  for (let request = 0; request < requests; request += 1) {
    const isCanary = random() < 0.1;
    const stamp = {
      revision: 7,
      version: isCanary ? 3 : 2,
      arm: isCanary ? ("canary" as const) : ("baseline" as const),
      reason: "split" as const,
      turn: random() < 0.4 ? ("first" as const) : ("later" as const),
    };
    const key = keyOf(stamp);
    const tally = tallies.get(key) ?? {
      ...stamp,
      started: 0,
      requests: 0,
      errors: 0,
      aborted: 0,
      sums: createSums(),
    };
    const outcome = createOutcome();
    tally.started = (tally.started ?? 0) + 1;
    tally.requests += 1;
    if (outcome.kind === "error") tally.errors += 1;
    addToSums(tally.sums!, outcome, Math.floor(random() * 64));
    tallies.set(key, tally);
  }
  return [...tallies.values()];
}

function measure(perSecond: number, isolates: number) {
  const { sql, database, writes } = openSql();
  const store = { sql, series: createSeries(), created: true };
  totalsOf(store, "production");
  const spent = { count: 0, fold: 0 };
  let [reports, tallies, foldRows] = [0, 0, 0];
  for (let second = 0; second <= SECONDS; second += 1) {
    const nowMs = (START_S + second) * 1_000;
    const before = writes.rows;
    const foldMs = performance.now();
    foldInPassing(store, nowMs);
    spent.fold += performance.now() - foldMs;
    foldRows += writes.rows - before;
    const shares = Array.from({ length: isolates }, () => 0);
    for (let request = 0; request < perSecond; request += 1) shares[Math.floor(random() * isolates)]! += 1;
    for (const [isolate, requests] of shares.entries()) {
      if (requests === 0) continue;
      const report = { sequence: second + 1, tallies: createTallies(requests) };
      reports += 1;
      tallies += report.tallies.length;
      const countMs = performance.now();
      countWithin(store, nowMs, (count, note) =>
        addReport(
          store,
          { environment: "production", isolate: `isolate-${isolate}-0123456789abcdef`, report },
          count,
          note,
          nowMs,
        ),
      );
      spent.count += performance.now() - countMs;
    }
  }
  const nowMs = (START_S + SECONDS) * 1_000;
  const read = (from: string, column: string) => {
    const [row] = sql.exec(
      `SELECT COUNT(*) AS n, COALESCE(SUM(LENGTH(${column}) + 100), 0) AS bytes FROM ${from}`,
    );
    return { rows: Number(row!["n"]), bytes: Number(row!["bytes"]) / Math.max(1, Number(row!["n"])) };
  };
  const timeOf = (windowS: number | null, stepS: number | null) => {
    const startedMs = performance.now();
    let longestMs = 0;
    const reading = readInTurns(store, "production", { windowS, stepS }, nowMs);
    for (let turnMs = performance.now(); reading.next().done !== true; turnMs = performance.now()) {
      longestMs = Math.max(longestMs, performance.now() - turnMs);
    }
    return `${(performance.now() - startedMs).toFixed(1)} ms (${longestMs.toFixed(1)} at once)`;
  };
  return {
    reports,
    tallies,
    writes: writes.rows,
    foldRows,
    spent,
    second: read("seconds", "document"),
    minute: read("series WHERE step = 60", "sums"),
    hour: read("series WHERE step = 3600", "sums"),
    onDisk: Number((database.prepare("SELECT SUM(pgsize) AS bytes FROM dbstat").get() as Row)["bytes"]),
    since: timeOf(null, null),
    window: timeOf(900, null),
    chart: timeOf(1_740, 60),
  };
}

const DAY_S = 86_400;
const MB = 1e6;

console.log("idle prompt: no row, no byte, no alarm\n");
for (const { name, perSecond, isolates } of CASES) {
  const found = measure(perSecond, isolates);
  const { second, minute, hour } = found;
  const perS = second.rows / SECONDS;
  const keys = minute.rows / (SECONDS / 60);
  const dayBytes = keys * (1_440 * minute.bytes + 24 * hour.bytes);
  const standing = 3_600 * perS * second.bytes;
  const rowsADay = (found.writes / SECONDS) * DAY_S;
  const foldedRowsADay = perS * DAY_S;
  console.log(name);
  console.log(
    `  rows: ${Math.round(second.bytes)} bytes a second's, ${Math.round(minute.bytes)} a minute's, ${Math.round(hour.bytes)} an hour's; ${perS.toFixed(1)} a second, ${keys.toFixed(1)} a minute`,
  );
  console.log(
    `  kept: ${(standing / MB).toFixed(1)} MB of seconds, and ${(dayBytes / MB).toFixed(1)} MB a day (${((dayBytes * 31) / MB).toFixed(0)} MB in 31 days: $${(dayBytes * 31 * USD_PER_BYTE_MONTH).toFixed(3)} a month); ` +
      `the database of this half hour is ${(found.onDisk / MB).toFixed(1)} MB`,
  );
  console.log(
    `  written: ${(found.writes / found.reports).toFixed(2)} rows a report (${(found.tallies / found.reports).toFixed(2)} tallies each), ${(rowsADay / MB).toFixed(2)} million a day, deletions of seconds ${(foldedRowsADay / MB).toFixed(2)} more: $${((rowsADay + foldedRowsADay) * 30 * USD_PER_ROW).toFixed(2)} a month`,
  );
  console.log(
    `  time: ${((found.spent.count / found.reports) * 1_000).toFixed(0)} µs a report, ${(found.spent.fold / (SECONDS / 60)).toFixed(1)} ms a minute folded; ` +
      `read since ever ${found.since}, 15m ${found.window}, a chart of 29 minutes ${found.chart}\n`,
  );
}
