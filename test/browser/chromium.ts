// The browser that the tests drive: the system's Chromium, never a downloaded one, offline and with an empty profile.

import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Path of the browser. Throws with what to do when there is none. */
export function findChromium(): string {
  const path = process.env["CHROMIUM"] || "/usr/bin/chromium";
  if (existsSync(path)) return path;
  throw new Error(
    `The browser tests need Chromium, and there is none at ${path}. ` +
      "Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.",
  );
}

/** A headless browser; every launch has a new, empty user data directory. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), headless: true, args: FLAGS });
}
