// From the command line to what to run, or to one sentence that names the option that is wrong.

import { parseArgs } from "node:util";
import type { Header } from "../test/support/http-messages.ts";
import { CASES } from "./cases/index.ts";
import { PRESETS, type PresetName } from "./presets/names.ts";
import type { FamilyName } from "./shapes.ts";
import type { Target } from "./target.ts";

export type Options = {
  /** Gateways to run; presets are started by the kit. */
  targets: (PresetName | Target)[];
  upstreamPort: number;
  upstreamHost: string;
  deadlineMs: number;
  only: string | undefined;
  json: boolean;
  list: boolean;
  help: boolean;
  /** File that gets the Markdown table; `-`: print it. */
  table: string | null;
};

export type Misuse = { misuse: string };

export const DEFAULT_UPSTREAM_PORT = 9_099;

export const USAGE = `npm run conformance -- --target URL [options]

  --target URL              the gateway; or ${PRESETS.join(", ")}: started by the kit itself. May be repeated.
  --upstream-port N         where the stand-in provider listens (${DEFAULT_UPSTREAM_PORT}). The gateway must call
                            http://127.0.0.1:N as its provider, with the provider's own paths (/v1/…)
  --upstream-host ADDRESS   the address that it listens on (127.0.0.1; 0.0.0.0 for a gateway in a container)
  --path-prefix P           stands before every path
  --openai-base P           what stands before /v1/chat/completions (empty); none: the gateway has no such route
  --anthropic-base P        what stands before /v1/messages (none unless given)
  --gemini-base P           what stands before /v1beta/models/… (none unless given)
  --injecting-mount P       a mount under which the gateway puts text into bodies, before those bases (/p/my-prompt)
  --header 'name: value'    with every request; a credential here replaces the kit's. May be repeated, and so may
  --openai-header …, --anthropic-header …, --gemini-header …   with one family's requests
  --own-header 'name: v'    means something to the gateway alone, and must not go up
  --skip 'case=reason'      a case that the gateway cannot be configured for; it is shown as skipped
  --only TEXT               cases whose name holds TEXT, or one group: streaming, fidelity, headers, errors, websocket
  --deadline-ms N           how long the kit waits for what should come (3000)
  --json                    results as JSON, one array
  --table FILE              writes the Markdown table between the marks in FILE; - prints it
  --list                    the cases, and why each matters

Exit code: 0 nothing failed, 1 some case failed, 2 wrong usage or the gateway never calls the stand-in provider.
`;

const FAMILIES: FamilyName[] = ["openai", "anthropic", "gemini"];
const text = { type: "string" } as const;
const texts = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;

const OPTIONS = {
  target: texts,
  "upstream-port": text,
  "upstream-host": text,
  "path-prefix": text,
  "openai-base": text,
  "anthropic-base": text,
  "gemini-base": text,
  "injecting-mount": text,
  header: texts,
  "openai-header": texts,
  "anthropic-header": texts,
  "gemini-header": texts,
  "own-header": texts,
  skip: texts,
  only: text,
  "deadline-ms": text,
  table: text,
  json: flag,
  list: flag,
  help: flag,
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

export function readOptions(argv: string[]): Options | Misuse {
  let values: Values;
  try {
    ({ values } = parseArgs({ args: argv, options: OPTIONS, strict: true, allowPositionals: false }));
  } catch (error) {
    return { misuse: (error as Error).message };
  }
  const upstreamPort = readNumber(values["upstream-port"], DEFAULT_UPSTREAM_PORT, 65_535);
  if (upstreamPort === null) return { misuse: "--upstream-port is not a port." };
  const deadlineMs = readNumber(values["deadline-ms"], 3_000, 600_000);
  if (deadlineMs === null) return { misuse: "--deadline-ms is not a number of milliseconds." };
  const targets = (values.target ?? []).map((name) => readTarget(name, values));
  const wrong = targets.find((target) => typeof target === "object" && "misuse" in target);
  if (wrong !== undefined) return wrong as Misuse;
  const asksOnly = values.list === true || values.help === true;
  if (targets.length === 0 && !asksOnly) return { misuse: "--target is missing." };
  return {
    targets: targets as (PresetName | Target)[],
    upstreamPort,
    upstreamHost: values["upstream-host"] ?? "127.0.0.1",
    deadlineMs,
    only: values.only,
    json: values.json === true,
    list: values.list === true,
    help: values.help === true,
    table: values.table ?? null,
  };
}

function readNumber(given: string | undefined, otherwise: number, most: number): number | null {
  if (given === undefined) return otherwise;
  return /^\d+$/.test(given) && Number(given) > 0 && Number(given) <= most ? Number(given) : null;
}

function readTarget(name: string, values: Values): PresetName | Target | Misuse {
  const preset = PRESETS.find((each) => each === name);
  if (preset !== undefined) return preset;
  const url = URL.canParse(name) ? new URL(name) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { misuse: `--target ${name} is neither an http(s) URL nor one of: ${PRESETS.join(", ")}.` };
  }
  const prefix = trimSlash((url.pathname === "/" ? "" : url.pathname) + (values["path-prefix"] ?? ""));
  const base = (family: FamilyName, otherwise: string | null): string | null => {
    const given = values[`${family}-base`];
    if (given === "none") return null;
    return given === undefined ? otherwise : prefix + trimSlash(given);
  };
  const headers = readHeaders([...(values.header ?? [])]);
  const ownHeaders = readHeaders(values["own-header"] ?? []);
  const familyHeaders = FAMILIES.map((family) => readHeaders(values[`${family}-header`] ?? []));
  const skips = readSkips(values.skip ?? []);
  for (const read of [headers, ownHeaders, ...familyHeaders, skips]) if ("misuse" in read) return read;
  const mount = values["injecting-mount"];
  const [openai, anthropic, gemini] = familyHeaders as Header[][];
  return {
    name: url.host,
    url,
    bases: {
      openai: base("openai", prefix),
      anthropic: base("anthropic", null),
      gemini: base("gemini", null),
    },
    injectingMount: mount === undefined ? null : trimSlash(mount),
    headers: headers as Header[],
    familyHeaders: { openai: openai!, anthropic: anthropic!, gemini: gemini! },
    ownHeaders: ownHeaders as Header[],
    skips: skips as Map<string, string>,
  };
}

function trimSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

function readHeaders(given: string[]): Header[] | Misuse {
  const headers: Header[] = [];
  for (const line of given) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (match === null) return { misuse: `"${line}" is no header: write 'name: value'.` };
    headers.push([match[1]!, match[2]!]);
  }
  return headers;
}

function readSkips(given: string[]): Map<string, string> | Misuse {
  const skips = new Map<string, string>();
  for (const each of given) {
    const [name = "", ...reason] = each.split("=");
    if (!CASES.some((known) => known.name === name)) return { misuse: `--skip: there is no case "${name}".` };
    if (reason.length === 0) return { misuse: `--skip ${name}: give the reason, as in --skip '${name}=…'.` };
    skips.set(name, reason.join("="));
  }
  return skips;
}
