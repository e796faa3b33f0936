// After the run: the matrix as it came out, a row an SDK, a column a scenario.

import type { Reporter, TestModule } from "vitest/node";

type Result = "ok" | "FAILED";

const SHORT = 22;

export default class MatrixReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const results = new Map<string, Map<string, Result>>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { client, scenario } = test.meta();
        const { state } = test.result();
        if (client === undefined || scenario === undefined || state === "skipped" || state === "pending")
          continue;
        const row = results.get(client) ?? new Map<string, Result>();
        const before = row.get(scenario) ?? "ok";
        results.set(client, row.set(scenario, state === "passed" ? before : "FAILED"));
      }
    }
    if (results.size > 0) console.log(`\n${describeMatrix(results)}`);
  }
}

/** SDKs have long names and scenarios are many: scenarios go down, SDKs across, numbered. */
function describeMatrix(results: Map<string, Map<string, Result>>): string {
  const clients = [...results.keys()];
  const scenarios = [...new Set([...results.values()].flatMap((row) => [...row.keys()]))];
  const legend = clients.map((client, index) => `${String(index + 1).padStart(2)} ${client}`);
  const head = `${"".padEnd(SHORT)}${clients.map((_, index) => String(index + 1).padStart(3)).join("")}`;
  const rows = scenarios.map((scenario) => {
    const cells = clients.map((client) => {
      const result = results.get(client)?.get(scenario);
      return (result === undefined ? "–" : result === "ok" ? "✓" : "✗").padStart(3);
    });
    return scenario.padEnd(SHORT).slice(0, SHORT) + cells.join("");
  });
  return ["SDK matrix: as directly, so through the proxy", ...legend, "", head, ...rows].join("\n");
}
