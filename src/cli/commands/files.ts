// Files and standard input that commands read. What is wrong with them is the user's to mend, so it comes back as a
// sentence, with the place in the file.

import { readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import type { Machine } from "../machine.ts";

export type Unreadable = { unreadable: string };
export type JsonRecord = { [key: string]: unknown };

export function isUnreadable(value: object): value is Unreadable {
  return "unreadable" in value && typeof value.unreadable === "string";
}

/** The JSON object in a file, or on standard input for "-". */
export async function readJsonObject(machine: Machine, file: string): Promise<JsonRecord | Unreadable> {
  const text = await readText(machine, file);
  if (typeof text !== "string") return text;
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRecord;
    return { unreadable: `${nameOf(file)} holds JSON, but not an object.` };
  } catch (error) {
    return { unreadable: `${nameOf(file)} is not JSON: ${(error as SyntaxError).message}.` };
  }
}

/** A version's content: JSON, or for `.md` and `.txt` the system text itself. */
export async function readContent(machine: Machine, file: string): Promise<JsonRecord | Unreadable> {
  if (![".md", ".txt"].includes(extname(file))) return readJsonObject(machine, file);
  const text = await readText(machine, file);
  return typeof text === "string" ? { system: text } : text;
}

/** The prompt that a file's name gives: `prompts/support-bot.json` → `support-bot`; null for standard input. */
export function promptNameOf(file: string): string | null {
  return file === "-" ? null : basename(file, extname(file));
}

async function readText(machine: Machine, file: string): Promise<string | Unreadable> {
  if (file === "-") return machine.readInput();
  try {
    return await readFile(resolve(machine.directory, file), "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT" ? "there is no such file" : `it cannot be read (${code ?? "unknown error"})`;
    return { unreadable: `${file}: ${why}.` };
  }
}

function nameOf(file: string): string {
  return file === "-" ? "Standard input" : file;
}
