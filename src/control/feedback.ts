// What people said of a prompt's answers. Guarantees: only who has an id that an edge of ours signed for this prompt is
// heard; the same feedback again changes nothing, and another value takes the place of the earlier one exactly; it counts
// for the version that served the answer, whatever the release is by now.

import {
  addCounts,
  countsOf,
  FEEDBACK_WITHIN_MS,
  notOurs,
  readFeedbackId,
  tallyOf,
  type Feedback,
  type FeedbackCounts,
  type FeedbackReceipt,
  type FeedbackResult,
} from "../core/feedback.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { ServedTurn } from "../core/request-id.ts";
import type { Tally } from "../core/types.ts";
import { isSealed } from "./feedback-key.ts";
import { readValue } from "./feedback-rows.ts";
import { wakeToForget } from "./housekeeping.ts";
import { countWithin } from "./series.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

/** Of the last seven days: about 100 MB without comments. */
export const MOST_ROWS = 500_000;
/** Names are columns of whoever reads the totals. */
export const MOST_NAMES = 32;
const MOST_NAMES_A_REQUEST = 8;

/** Refuses with `invalid_request` an id that was not made here, with `feedback_too_late` one that is too old, with
 * `rate_limited` more than can be told apart. `afterFirst` is told of what counted, and not of what takes its place later:
 * evidence that can be taken back is none. `most`: of all rows. */
export async function giveFeedback(
  store: ControlStore,
  feedback: Feedback,
  nowMs: number,
  afterFirst: (environment: string, tallies: readonly Tally[]) => void = () => {},
  most = MOST_ROWS,
): Promise<FeedbackReceipt | Problem> {
  const turn = await checkId(store, feedback.requestId, nowMs);
  if (isProblem(turn)) return turn;
  const kept = countWithin(store, nowMs, (count) => {
    const change = keep(store.sql, turn, feedback, nowMs, most);
    if (isProblem(change) || change.counts === null) return { change, tally: null };
    addTotals(store.sql, turn, feedback.name, change.counts);
    const tally = tallyOf(turn, feedback.name, change.counts);
    if (tally !== null) count(turn.environment, [tally]);
    return { change, tally };
  });
  const { change, tally } = kept;
  if (isProblem(change)) return change;
  if (change.result === "counted" && tally !== null) afterFirst(turn.environment, [tally]);
  const { prompt, environment, revision, version, arm, reason } = turn;
  return { prompt, environment, revision, version, arm, reason, result: change.result };
}

/** `counts`: what is to be added to totals; null: nothing. */
type Kept = { result: FeedbackResult; counts: FeedbackCounts | null };

async function checkId(store: ControlStore, text: string, nowMs: number): Promise<ServedTurn | Problem> {
  const read = readFeedbackId(text);
  if (isProblem(read)) return read;
  const isOurs = store.state?.prompt.name === read.turn.prompt && (await isSealed(store, read));
  if (!isOurs) return notOurs();
  if (nowMs - read.turn.servedAtMs <= FEEDBACK_WITHIN_MS) return read.turn;
  return problem("feedback_too_late", "The answer is older than 7 days, for which feedback is taken.", {
    field: "request_id",
  });
}

function keep(sql: Sql, turn: ServedTurn, feedback: Feedback, nowMs: number, most: number): Kept | Problem {
  const [known] = sql.exec(
    `SELECT n, value, comment FROM feedback WHERE request = ? AND name = ?`,
    turn.id,
    feedback.name,
  );
  if (known !== undefined) return replace(sql, feedback, known, nowMs);
  const refused = checkRoom(sql, turn.id, feedback.name, most);
  if (refused !== null) return refused;
  insert(sql, turn, feedback, nowMs);
  wakeToForget(sql, nowMs);
  return { result: "counted", counts: countsOf(feedback.value, 1) };
}

/** A comment that is not sent again stays with its value, and goes with it. */
function replace(sql: Sql, { value, comment, by }: Feedback, known: Row, nowMs: number): Kept {
  const before = readValue(known);
  const isSame = before === value;
  if (isSame && (comment === null || comment === known["comment"])) {
    return { result: "repeated", counts: null };
  }
  sql.exec(
    `UPDATE feedback SET value = ?, comment = ?, given_by = ?, at_ms = ? WHERE n = ?`,
    JSON.stringify(value),
    comment,
    by,
    nowMs,
    numberOf(known, "n"),
  );
  const counts = isSame ? null : addCounts(countsOf(value, 1), countsOf(before, -1));
  return { result: "replaced", counts };
}

function checkRoom(sql: Sql, request: string, name: string, most: number): Problem | null {
  const names = sql.exec(`SELECT 1 FROM feedback WHERE request = ?`, request).length;
  if (names >= MOST_NAMES_A_REQUEST) {
    const message = `This answer has feedback under ${names} names already, which is the most.`;
    return problem("conflict", message, { field: "name" });
  }
  // Each by itself is found by one look at an end of the table; both in one question would read all of it.
  const [span] = sql.exec(
    `SELECT COALESCE((SELECT MAX(n) FROM feedback) - (SELECT MIN(n) FROM feedback) + 1, 0) AS rows`,
  );
  if (numberOf(span!, "rows") >= most) {
    return problem(
      "rate_limited",
      `There are ${most} of the last days, and no more are kept. Send it later.`,
    );
  }
  if (sql.exec(`SELECT 1 FROM feedback_names WHERE name = ?`, name).length > 0) return null;
  const others = sql.exec(`SELECT name FROM feedback_names ORDER BY name`).map((row) => textOf(row, "name"));
  if (others.length < MOST_NAMES) return null;
  const message = `This prompt has ${others.length} names of feedback already, which is the most: ${others.join(", ")}.`;
  return problem("conflict", message, { field: "name" });
}

function insert(sql: Sql, turn: ServedTurn, feedback: Feedback, nowMs: number): void {
  const { name, value, comment, by } = feedback;
  sql.exec(`INSERT OR IGNORE INTO feedback_names (name) VALUES (?)`, name);
  sql.exec(
    `INSERT INTO feedback (request, name, environment, revision, version, arm, reason, turn, value, comment,
       given_by, served_ms, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    turn.id,
    name,
    turn.environment,
    turn.revision,
    turn.version,
    turn.arm,
    turn.reason,
    turn.turn,
    JSON.stringify(value),
    comment,
    by,
    turn.servedAtMs,
    nowMs,
  );
}

function addTotals(sql: Sql, turn: ServedTurn, name: string, counts: FeedbackCounts): void {
  const { up, down, units, sum, squares, labels } = counts;
  sql.exec(
    `INSERT INTO feedback_totals (environment, name, revision, version, arm, reason, turn, up, down, units, sum,
       squares, labels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (environment, name, revision, version, arm, reason, turn) DO UPDATE SET
       up = up + excluded.up, down = down + excluded.down, units = units + excluded.units,
       sum = sum + excluded.sum, squares = squares + excluded.squares, labels = labels + excluded.labels`,
    turn.environment,
    name,
    turn.revision,
    turn.version,
    turn.arm,
    turn.reason,
    turn.turn,
    up,
    down,
    units,
    sum,
    squares,
    labels,
  );
}
