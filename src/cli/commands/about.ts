// open, version, help: what needs no control plane, or only its address.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  done,
  misused,
  textOf,
  type CommandSpec,
  type Invocation,
  type Outcome,
  type Surroundings,
} from "../command.ts";
import { findNearest } from "../nearest.ts";
import { formatCommandHelp, formatOverview } from "../show/help.ts";

export const openCommand: CommandSpec = {
  name: "open",
  summary: "print the address of the dashboard",
  arguments: [],
  options: [],
  examples: ["switchback open"],
  async run(_, context) {
    const url = `${context.client.url}/dashboard`;
    return done(JSON.stringify({ url }), () => [url]);
  },
};

export const versionCommand: CommandSpec = {
  name: "version",
  summary: "print the version of this program",
  arguments: [],
  options: [],
  examples: ["switchback version"],
  offline: true,
  async run(_, { machine }) {
    const text = readFileSync(join(machine.packageDirectory, "package.json"), "utf8");
    const { version } = JSON.parse(text) as { version: string };
    return done(JSON.stringify({ version }), () => [version]);
  },
};

/** `specs`: all commands, this one included. */
export function createHelpCommand(specs: () => CommandSpec[]): CommandSpec {
  return {
    name: "help",
    summary: "show all commands, or one in full",
    arguments: [
      { name: "COMMAND", kind: "text", optional: true },
      { name: "SUBCOMMAND", kind: "text", optional: true },
    ],
    options: [],
    examples: ["switchback help", "switchback help rollback", "switchback help tokens create"],
    offline: true,
    run: async (invocation, surroundings) => runHelp(specs(), invocation, surroundings),
  };
}

function runHelp(specs: CommandSpec[], invocation: Invocation, { look }: Surroundings): Outcome {
  const words = [textOf(invocation, "COMMAND"), textOf(invocation, "SUBCOMMAND")].filter(
    (word) => word !== undefined,
  );
  if (words.length === 0) return help(specs, () => formatOverview(look, specs));
  const name = words.join(" ");
  const found = specs.filter((spec) => spec.name === name || spec.name.startsWith(`${name} `));
  if (found.length === 0) {
    const names = specs.map((spec) => spec.name);
    const nearest = findNearest(name, names);
    return misused(`There is no command "${name}"${nearest === null ? "." : `: did you mean "${nearest}"?`}`);
  }
  return help(found, () =>
    found.flatMap((spec, place) => [...(place === 0 ? [] : [""]), ...formatCommandHelp(look, spec)]),
  );
}

function help(specs: CommandSpec[], lines: () => string[]): Outcome {
  const described = specs.map(({ name, summary, examples }) => ({ name, summary, examples }));
  return done(JSON.stringify({ commands: described }), lines);
}
