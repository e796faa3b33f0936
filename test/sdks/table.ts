// The matrix as Markdown, made from the very definitions that the tests run, so that it cannot claim what nobody tried.

import { CALLS, type CallName, type Client, versionOf } from "./clients/client.ts";
import { DIFFERENT_DOWN, DIFFERENT_UP } from "./compare.ts";
import { PROMPT_CELLS } from "./prompts.ts";
import { SCENARIOS, STATUSES } from "./scenarios.ts";

/** A cell: whether it is tested, or why it is not. */
export type Cell = true | string;

const ERRORS = "errors";

/** Columns, each with the tests behind it. */
export function columnsOf(): Map<string, string[]> {
  const columns = new Map<string, string[]>();
  for (const { name } of SCENARIOS) {
    const isError = STATUSES.some((status) => String(status) === name);
    const column = isError ? ERRORS : name;
    columns.set(column, [...(columns.get(column) ?? []), name]);
  }
  for (const name of Object.values(PROMPT_CELLS)) columns.set(name, [name]);
  return columns;
}

/** Why a client has no test of this name, or true. */
export function cellOf(client: Client, name: string): Cell {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario !== undefined) {
    const call = scenario.call(client);
    return typeof call === "function" ? true : call.absent;
  }
  if (name === PROMPT_CELLS.headers && typeof client.headersOf !== "function") return client.headersOf.absent;
  const call = (Object.keys(PROMPT_CELLS) as (keyof typeof PROMPT_CELLS)[]).find(
    (key) => PROMPT_CELLS[key] === name && key in CALLS,
  ) as CallName | undefined;
  if (call === undefined) return true;
  const made = client.calls[call];
  return typeof made === "function" ? true : made.absent;
}

export function renderClients(clients: Client[]): string {
  const rows = clients.map((client) => [
    client.name,
    `${client.package.replace(/^openai-v\d$/, "openai")} ${versionOf(client.package)}`,
    client.baseUrl,
  ]);
  return renderTable(["row", "package", "base URL"], rows);
}

export function renderMatrix(clients: Client[], columns: string[]): string {
  const all = columnsOf();
  const reasons = new Map<string, string>();
  const rows = clients.map((client) => [
    client.name,
    ...columns.map((column) => {
      const cells = (all.get(column) ?? []).map((name) => cellOf(client, name));
      const absent = cells.find((cell) => cell !== true);
      if (absent === undefined) return "✓";
      if (!reasons.has(absent)) reasons.set(absent, String.fromCharCode(97 + reasons.size));
      return `– ${reasons.get(absent)}`;
    }),
  ]);
  const legend = [...reasons].map(([reason, letter]) => `${letter}: ${reason}`).join("; ");
  const table = renderTable(["", ...columns], rows);
  return legend === "" ? table : `${table}\n\n${legend}.`;
}

/** The class that each status raises, and what becomes of retries. */
export function renderErrors(clients: Client[]): string {
  const kinds = new Map<string, string[]>();
  for (const client of clients) {
    const { obeys, insistsOn = [] } = client;
    const cells = [
      ...STATUSES.map((status) => `\`${client.raises(status)}\``),
      obeys["retry-after"] ? "yes" : "no",
      obeys["x-should-retry"] ? "yes" : "no",
      insistsOn.length === 0 ? "–" : insistsOn.join(", "),
    ];
    const key = JSON.stringify(cells);
    kinds.set(key, [...(kinds.get(key) ?? []), client.name]);
  }
  const heads = [...STATUSES.map(String), "obeys `retry-after`", "obeys `x-should-retry`", "retries our"];
  const rows = [...kinds].map(([key, names]) => [names.join(", "), ...(JSON.parse(key) as string[])]);
  return renderTable(["", ...heads], rows);
}

export function renderDifferences(): string {
  return [
    "Request headers, as they reach the provider:",
    renderReasons(DIFFERENT_UP),
    "Answer headers, as they reach the application:",
    renderReasons(DIFFERENT_DOWN),
  ].join("\n\n");
}

function renderReasons(reasons: Record<string, string>): string {
  const rows = Object.entries(reasons).map(([name, reason]) => [`\`${name}\``, reason]);
  return renderTable(["header", "why it may differ"], rows);
}

export function renderScenarios(): string {
  const calls = new Set<string>(Object.values(CALLS));
  const rows = SCENARIOS.filter(({ name }) => !calls.has(name) && !/^\d+$/.test(name)).map(
    ({ name, about }) => [`**${name}**`, about],
  );
  return renderTable(
    ["", ""],
    [[`**${ERRORS}**`, `the provider answers ${STATUSES.join(", ")}; no retries`], ...rows],
  );
}

export function renderTable(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
