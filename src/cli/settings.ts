// Where the control plane is and who we are to it. A URL and a token are taken from the same place, or for the same
// origin: a `.switchback/local.json` in somebody else's checkout must not receive the token of the user's shell, and
// the local token must not travel to the URL of a flag. The token is never part of any message.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type Settings = { url: string; token: string };

export type SettingsSource = {
  /** `--url` and `--token`. */
  flags: { url?: string; token?: string };
  variables: { [name: string]: string | undefined };
  directory: string;
  /** The directory of this package, searched last: `npm start` writes there. */
  packageDirectory: string;
};

export type SettingsError = { settingsError: string };

const LOCAL_FILE = join(".switchback", "local.json");

export function findSettings(source: SettingsSource): Settings | SettingsError {
  const url = source.flags.url ?? (source.variables["SWITCHBACK_URL"] || undefined);
  const token = source.flags.token ?? (source.variables["SWITCHBACK_TOKEN"] || undefined);
  if (url !== undefined && token !== undefined) return checkSettings(url, token);
  const local = findLocal(source);
  if (local !== null && "settingsError" in local) return local;
  if (url === undefined && token === undefined) {
    if (local === null) return { settingsError: HOW_TO_SET };
    return checkSettings(local.url, local.token);
  }
  if (url !== undefined) return withLocalToken(url, local);
  return withLocalUrl(token!, local);
}

const HOW_TO_SET =
  "No control plane to talk to: set SWITCHBACK_URL and SWITCHBACK_TOKEN, " +
  "or run `npm start` in the checkout (it writes .switchback/local.json, which is found by itself).";

function withLocalToken(url: string, local: Settings | null): Settings | SettingsError {
  if (local !== null && originOf(local.url) === originOf(url)) return checkSettings(url, local.token);
  return {
    settingsError: `The URL is set to ${originOf(url) ?? "something that is no URL"}, but no token for it: set SWITCHBACK_TOKEN.`,
  };
}

function withLocalUrl(token: string, local: Settings | null): Settings | SettingsError {
  if (local !== null && local.token === token) return checkSettings(local.url, token);
  return { settingsError: "A token is set, but not whom to show it to: set SWITCHBACK_URL, too." };
}

/** The first file on the way up from the working directory, else the package's own. */
function findLocal(source: SettingsSource): Settings | SettingsError | null {
  for (let directory = source.directory; ; directory = dirname(directory)) {
    const found = readLocal(join(directory, LOCAL_FILE));
    if (found !== null) return found;
    if (directory === dirname(directory)) break;
  }
  return readLocal(join(source.packageDirectory, LOCAL_FILE));
}

function readLocal(path: string): Settings | SettingsError | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  const value = parseLocal(text);
  return value ?? { settingsError: `${path} does not hold {"url": "…", "token": "…"}.` };
}

function parseLocal(text: string): Settings | null {
  try {
    const { url, token } = JSON.parse(text) as { url?: unknown; token?: unknown };
    return typeof url === "string" && typeof token === "string" ? { url, token } : null;
  } catch {
    return null;
  }
}

/** A token with a line break would be quoted whole by the HTTP client's own error message, so it is refused here. */
function checkSettings(url: string, token: string): Settings | SettingsError {
  const parsed = parseUrl(url);
  if (parsed === null) return { settingsError: "The URL of the control plane is not an http(s) URL." };
  if (parsed.username || parsed.password) {
    return { settingsError: "The URL of the control plane must not carry a user name or password." };
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return { settingsError: "The token must be one line of printable ASCII characters without spaces." };
  }
  return { url: `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, ""), token };
}

function originOf(url: string): string | null {
  return parseUrl(url)?.origin ?? null;
}

function parseUrl(url: string): URL | null {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed : null;
}
