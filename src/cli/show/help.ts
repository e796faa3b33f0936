// The help: one screen for all commands, one per command with its options and examples.

import { usageOf, wordsOf, type CommandSpec, type Option } from "../command.ts";
import { GLOBAL_OPTIONS } from "../parse.ts";
import { paint, type Look } from "./look.ts";
import { formatTable } from "./table.ts";

const INDENT = 2;

export function formatOverview(look: Look, specs: CommandSpec[]): string[] {
  const rows = specs.map((spec) => [[spec.name, ...wordsOf(spec)].join(" "), spec.summary]);
  return [
    "switchback: put a prompt back on the version that worked, at once.",
    "",
    "usage: switchback COMMAND [PROMPT] …",
    "",
    ...formatTable(look, rows, { indent: INDENT }),
    "",
    "Options of every command:",
    ...formatOptions(look, GLOBAL_OPTIONS),
    "",
    "`switchback help COMMAND` shows its options and examples.",
    "Exit codes: 0 done, 1 refused or unreachable, 2 wrong usage.",
  ];
}

export function formatCommandHelp(look: Look, spec: CommandSpec): string[] {
  const own = spec.options.length === 0 ? [] : ["", "Options:", ...formatOptions(look, spec.options)];
  return [
    `${paint(look, "bold", `switchback ${spec.name}`)}: ${spec.summary}`,
    "",
    `usage: switchback ${usageOf(spec)}`,
    ...(spec.details ? ["", spec.details] : []),
    ...own,
    "",
    "Options of every command:",
    ...formatOptions(look, GLOBAL_OPTIONS),
    "",
    "Examples:",
    ...spec.examples.map((example) => `  ${example}`),
  ];
}

function formatOptions(look: Look, options: Option[]): string[] {
  const rows = options.map((option) => {
    const short = option.short ? `-${option.short}, ` : "    ";
    const value = option.kind === "flag" ? "" : ` ${option.value ?? "TEXT"}`;
    return [`${short}--${option.name}${value}`, option.help];
  });
  return formatTable(look, rows, { indent: INDENT });
}
