// The one file that touches the process: streams, keyboard, clock, signals. Everything else takes a `Machine`, so
// that the tests can be a person at a terminal.

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { detectLook, type Look } from "./show/look.ts";

export type Machine = {
  variables: { [name: string]: string | undefined };
  directory: string;
  /** Root of this package. */
  packageDirectory: string;
  /** Somebody can answer a question. */
  interactive: boolean;
  /** Standard output is a screen that can be redrawn. */
  live: boolean;
  look(noColour: boolean): Look;
  writeOut(text: string): void;
  writeError(text: string): void;
  /** A line of progress that the next one, or "", replaces. Nothing where standard error is no screen. */
  showProgress(line: string): void;
  ask(question: string): Promise<boolean>;
  readInput(): Promise<string>;
  nowMs(): number;
  /** Ends early, without an error, when `signal` fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  newKey(): string;
  /** From now on Ctrl-C does not end the process but fires this. */
  catchInterrupt(): AbortSignal;
};

export function thisMachine(): Machine {
  endQuietlyWithReader();
  const errorIsScreen = process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
  return {
    variables: process.env,
    directory: process.cwd(),
    packageDirectory: fileURLToPath(new URL("../..", import.meta.url)),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    live: process.stdout.isTTY === true && process.env["TERM"] !== "dumb",
    look: (noColour) => detectLook(process.stdout, process.env, noColour),
    writeOut: (output) => void process.stdout.write(output),
    writeError: (output) => void process.stderr.write(output),
    showProgress: errorIsScreen ? createProgress() : () => {},
    ask,
    readInput: () => text(process.stdin),
    nowMs: () => Date.now(),
    sleep,
    newKey: () => randomUUID(),
    catchInterrupt,
  };
}

function createProgress(): (line: string) => void {
  let shown = "";
  return (line) => {
    if (line !== shown) process.stderr.write(`\r\u001b[2K${line}`);
    shown = line;
  };
}

/** `switchback log … | head` closes the pipe when it has seen enough: no error of ours. */
function endQuietlyWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

/** Anything but a yes is a no; so are Ctrl-C and the end of input, which leave the cursor behind the question. */
async function ask(question: string): Promise<boolean> {
  const keyboard = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<null>((resolve) => keyboard.once("close", () => resolve(null)));
  const answered = keyboard.question(`${question} [y/N] `).catch(() => null);
  const answer = await Promise.race([answered, closed]);
  keyboard.close();
  if (answer === null) process.stderr.write("\n");
  return /^y(es)?$/i.test(answer?.trim() ?? "");
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => {});
}

function catchInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
