// The command line as a user starts it (a process, through bin.js), and as somebody at a terminal (in this process,
// on a made-up machine whose clock only moves when the program sleeps). Every run checks that the token is nowhere in
// what was printed.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import { main, type ExitCode } from "../../src/cli/main.ts";
import type { Machine } from "../../src/cli/machine.ts";
import type { Look } from "../../src/cli/show/look.ts";
import { TOKEN } from "./fake-control.ts";
import { NOW_MS } from "./samples.ts";

export const BIN = fileURLToPath(new URL("../../src/cli/bin.js", import.meta.url));

export type Result = { code: number; out: string; error: string };

export type RunOptions = {
  url?: string;
  variables?: Record<string, string>;
  directory?: string;
  input?: string;
  /** Script to start, bin.js unless given. */
  bin?: string;
};

export async function runProcess(argv: string[], options: RunOptions = {}): Promise<Result> {
  const connection = options.url ? { SWITCHBACK_URL: options.url, SWITCHBACK_TOKEN: TOKEN } : {};
  const child = spawn(process.execPath, [options.bin ?? BIN, ...argv], {
    cwd: options.directory,
    env: { PATH: process.env["PATH"], LANG: "C.UTF-8", ...connection, ...options.variables },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? -1)));
  child.stdin.end(options.input ?? "");
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(out + error).not.toContain(TOKEN);
  return { code, out, error };
}

export type Person = {
  machine: Machine;
  out(): string;
  error(): string;
  progress: string[];
  questions: string[];
  interrupt(): void;
};

export type PersonOptions = {
  url: string;
  /** Working directory. */
  directory?: string;
  answers?: boolean[];
  interactive?: boolean;
  live?: boolean;
  look?: Partial<Look>;
  /** Called before each wait; a test of something endless ends it here. */
  onSleep?(ms: number, count: number): void | Promise<void>;
};

/** Somebody at a terminal who answers questions in turn, and with no from then on. */
export function createPerson(options: PersonOptions): Person {
  const out: string[] = [];
  const error: string[] = [];
  const progress: string[] = [];
  const questions: string[] = [];
  const answers = [...(options.answers ?? [])];
  const interrupt = new AbortController();
  let nowMs = NOW_MS;
  let keys = 0;
  let sleeps = 0;
  const machine: Machine = {
    variables: { SWITCHBACK_URL: options.url, SWITCHBACK_TOKEN: TOKEN },
    directory: options.directory ?? "/nowhere",
    packageDirectory: fileURLToPath(new URL("../..", import.meta.url)),
    interactive: options.interactive ?? true,
    live: options.live ?? true,
    look: (noColour) => ({
      width: 100,
      height: 40,
      cut: true,
      unicode: true,
      ...options.look,
      colour: !noColour && (options.look?.colour ?? false),
    }),
    writeOut: (written) => void out.push(written),
    writeError: (written) => void error.push(written),
    showProgress: (line) => void progress.push(line),
    async ask(question) {
      questions.push(question);
      return answers.shift() ?? false;
    },
    readInput: async () => "",
    nowMs: () => nowMs,
    async sleep(ms) {
      sleeps += 1;
      await options.onSleep?.(ms, sleeps);
      nowMs += ms;
    },
    newKey: () => `key-${++keys}`,
    catchInterrupt: () => interrupt.signal,
  };
  return {
    machine,
    out: () => out.join(""),
    error: () => error.join(""),
    progress,
    questions,
    interrupt: () => interrupt.abort(),
  };
}

export async function runAs(person: Person, argv: string[]): Promise<ExitCode> {
  const code = await main(argv, person.machine);
  expect(person.out() + person.error() + person.progress.join("")).not.toContain(TOKEN);
  return code;
}
