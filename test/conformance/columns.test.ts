// The kit against the built Worker and against a bare pass-through, both under workerd: ours passes every case on every
// route, and docs/conformance.md says what is measured here. Portkey's column needs its package, and is measured by hand.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CASES } from "../../conformance/cases/index.ts";
import { startPreset } from "../../conformance/presets/start.ts";
import type { PresetName } from "../../conformance/presets/names.ts";
import { openBench, runCases, type Result } from "../../conformance/runner.ts";
import { describeResult } from "../../conformance/report.ts";

const PACE = { deadlineMs: 5_000, slowMs: 300, stallMs: 1_000 };
const PAGE = readFileSync(join(import.meta.dirname, "../../docs/conformance.md"), "utf8");

/** Case → its cell, of the column with this head. */
function readColumn(head: string): Map<string, string> {
  const rows = PAGE.split("\n").filter((line) => line.startsWith("|"));
  const cells = rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const at = cells[0]?.indexOf(head) ?? -1;
  const cases = cells.filter(([, name]) => name?.startsWith("`"));
  return new Map(cases.map((row) => [row[1]!.replaceAll("`", ""), row[at] ?? ""]));
}

async function measure(preset: PresetName): Promise<Result[]> {
  const bench = await openBench("127.0.0.1", 0);
  const started = await startPreset(preset, bench.upstream.port);
  if (started === null) throw new Error(`${preset} is not installed`);
  try {
    return await runCases(started.target, bench, { pace: PACE });
  } finally {
    started.stop();
    await bench.stop();
  }
}

describe("ours", () => {
  test("passes every case, with and without a prompt", async () => {
    const results = await measure("switchback");
    expect(results.filter(({ result }) => result !== "pass").map(describeResult)).toEqual([]);
    expect(new Set(results.map(({ name }) => name)).size).toBe(CASES.length);
    expect(results.filter(({ route }) => route === "messages+prompt").length).toBeGreaterThan(50);
  });

  test("is what the page says", () => {
    const column = readColumn("Switchback");
    expect([...column.keys()]).toEqual(inTableOrder());
    expect([...column].filter(([, cell]) => cell !== "pass")).toEqual([]);
  });
});

test("a bare pass-through fails what the page says it fails", async () => {
  const failed = new Set(
    (await measure("bare")).filter(({ result }) => result === "fail").map(({ name }) => name),
  );
  const documented = [...readColumn("bare Worker")].filter(([, cell]) => cell.startsWith("**fails**"));
  expect([...failed].toSorted()).toEqual(documented.map(([name]) => name).toSorted());
});

/** The table is in groups. */
function inTableOrder(): string[] {
  const groups = [...new Set(CASES.map(({ group }) => group))];
  return groups.flatMap((group) => CASES.filter((each) => each.group === group).map(({ name }) => name));
}
