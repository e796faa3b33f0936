// Where a local Switchback keeps its things: `.dev.vars` (yours), `.switchback/` (ours, mode 0700: the admin token and
// the vars of the Worker) and `.wrangler/state` (the data). Guarantee: a token once made stays the same over
// restarts, and neither the token nor a provider's key is readable by other users of the machine.

import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";

export type Vars = { [name: string]: string };

export type Home = {
  devVars: string;
  /** `{url, token}`: where the command line finds a local Switchback. */
  localFile: string;
  /** The Worker's vars as wrangler reads them. */
  workerVars: string;
  stateDir: string;
  wranglerDir: string;
};

/** Paths under `root`, the directory that keeps the state: the checkout, unless a test says otherwise. */
export function homeAt(root: string): Home {
  return {
    devVars: path.join(root, ".dev.vars"),
    localFile: path.join(root, ".switchback", "local.json"),
    workerVars: path.join(root, ".switchback", "worker.env"),
    stateDir: path.join(root, ".wrangler", "state"),
    wranglerDir: path.join(root, ".wrangler"),
  };
}

/** The variables of `.dev.vars`; none when there is no such file. */
export async function readDevVars(home: Home): Promise<Vars> {
  const text = await readIfThere(home.devVars);
  const vars: Vars = {};
  for (const [name, value] of Object.entries(parseEnv(text ?? ""))) {
    if (value !== undefined && value !== "") vars[name] = value;
  }
  return vars;
}

/** The admin token of `.dev.vars`, else the one of the last start, else a new one (256 random bits). */
export async function findToken(home: Home, devVars: Vars): Promise<string> {
  if (devVars["ADMIN_TOKEN"]) return devVars["ADMIN_TOKEN"];
  const kept = parseLocal(await readIfThere(home.localFile));
  return kept?.token ?? `local_${randomBytes(32).toString("base64url")}`;
}

/** Tells the command line where this Switchback is. */
export async function writeLocal(home: Home, local: { url: string; token: string }): Promise<void> {
  await writePrivately(home.localFile, `${JSON.stringify(local, null, 2)}\n`);
}

/** Replaces `file` as a whole; nobody but its owner may read it, not even while it is being written. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const directory = path.dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o600, flag: "wx" });
  await rename(draft, file);
}

function parseLocal(text: string | null): { token: string } | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    const token = typeof value === "object" && value !== null && "token" in value ? value.token : null;
    return typeof token === "string" && token !== "" ? { token } : null;
  } catch {
    return null;
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
