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

/** `pass` only where every route that was run passes. */
function writeCell(results: Result[]): string {
  const failed = results.filter(({ result }) => result === "fail");
  if (failed.length > 0) {
    const bySeen = new Map<string, Result[]>();
    for (const each of failed) bySeen.set(each.seen, [...(bySeen.get(each.seen) ?? []), each]);
    const ran = results.filter(({ result }) => result !== "skipped").length;
    const parts = [...bySeen].map(([seen, same]) => {
      const all = same.length === ran;
      return `${all ? "" : `${same.map(({ route }) => route).join(", ")}: `}${escapeCell(seen)}`;
    });
    return `**fails**: ${parts.join("; ")}`;
  }
  if (results.some(({ result }) => result === "pass")) return "pass";
  return results.length === 0 ? "not run" : `skipped: ${escapeCell(results[0]!.seen)}`;
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
