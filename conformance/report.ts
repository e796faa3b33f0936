// What the results look like: lines for people, and the Markdown table with a column for each gateway.

import { CASES } from "./cases/index.ts";
import type { Case } from "./kit.ts";
import type { Result } from "./runner.ts";

export type Column = { gateway: string; results: Result[] };

const MARKS = { pass: "pass", fail: "FAIL", skipped: "skip" } as const;

/** One line for a result, in columns. */
export function describeResult({ name, route, result, seen }: Result): string {
  return `${MARKS[result]}  ${name.padEnd(22)} ${route.padEnd(17)} ${seen}`;
}

export function describeSummary(gateway: string, results: Result[]): string {
  const count = (wanted: Result["result"]) => results.filter(({ result }) => result === wanted).length;
  const failing = [...new Set(results.filter(({ result }) => result === "fail").map(({ name }) => name))];
  const numbers = `${count("pass")} passed, ${count("fail")} failed, ${count("skipped")} skipped`;
  return `${gateway}: ${numbers}${failing.length === 0 ? "" : `\nfailing: ${failing.join(", ")}`}`;
}

export function describeCases(cases: Case[]): string {
  return cases
    .map(({ name, group, guards, why }) => `${name} (${group})\n  ${guards}\n  why: ${why}`)
    .join("\n");
}

/** Rows in the order of the cases; failures with what was seen. */
export function writeTable(columns: Column[]): string {
  const names = new Set(columns.flatMap(({ results }) => results.map(({ name }) => name)));
  const head = ["case", "what it guards", ...columns.map(({ gateway }) => gateway)];
  const groups = [...new Set(CASES.map(({ group }) => group))];
  const rows = groups.flatMap((group) => {
    const cases = CASES.filter((each) => each.group === group && names.has(each.name));
    if (cases.length === 0) return [];
    return [
      [`**${group}**`, "", ...columns.map((column) => countPasses(cases, column))],
      ...cases.map((each) => [
        `\`${each.name}\``,
        escapeCell(each.guards),
        ...columns.map(({ results }) => writeCell(results.filter(({ name }) => name === each.name))),
      ]),
    ];
  });
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function countPasses(cases: Case[], { results }: Column): string {
  const cells = cases.map((each) => results.filter(({ name }) => name === each.name));
  const ran = cells.filter((cell) => cell.some(({ result }) => result !== "skipped"));
  const passing = ran.filter((cell) => cell.every(({ result }) => result !== "fail"));
  return `${passing.length} of ${ran.length}`;
}

/** A cell says what was seen first; `--json` has all of it. */
const MOST_SEEN = 150;

/** `pass` only where every route that was run passes. */
function writeCell(results: Result[]): string {
  const ran = results.filter(({ result }) => result !== "skipped");
  const failed = ran.filter(({ result }) => result === "fail");
  if (failed.length > 0) {
    const where = failed.length === ran.length ? "" : ` on ${failed.map(({ route }) => route).join(", ")}`;
    return `**fails**${where}: ${escapeCell(gather(failed))}`;
  }
  if (ran.length > 0) return "pass";
  return results.length === 0 ? "not run" : `skipped: ${escapeCell(results[0]!.seen)}`;
}

/** What was seen first, and what else as long as it is short. Ports change with each run. */
function gather(failed: Result[]): string {
  const seen = new Set(failed.map((each) => each.seen.replaceAll(/(127\.0\.0\.1):\d+/g, "$1:…")));
  const [first = "", ...others] = seen;
  if (first.length > MOST_SEEN) return `${first.slice(0, MOST_SEEN)}…`;
  return others.reduce(
    (all, next) => (all.length + next.length < MOST_SEEN ? `${all}; ${next}` : all),
    first,
  );
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/[<>]/g, (sign) => (sign === "<" ? "&lt;" : "&gt;"));
}

const BEGIN = "<!-- table: begin -->";
const END = "<!-- table: end -->";

/** `document` with the table between its marks; null when it has none. */
export function placeTable(document: string, table: string): string | null {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) return null;
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n${document.slice(end)}`;
}
