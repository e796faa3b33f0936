// Pages that watch themselves: whatever the browser complains about, and whatever leaves the origin, fails the test.

import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { behave, type Behaviour } from "./told-provider.ts";

export type WatchedPage = {
  page: Page;
  /** Console errors, uncaught exceptions and foreign requests, as they came. */
  complaints: string[];
  close(): Promise<void>;
};

export const url = inject("url");
export const token = inject("token");

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 960 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const foreign = !request.url().startsWith(url) && !request.url().startsWith("data:");
    if (foreign) complaints.push(`request to ${request.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}

/** Signed in through the link that `npm start` prints, with a prompt chosen and loaded. */
export async function openDashboard(
  browser: Browser,
  prompt: string,
  options: BrowserContextOptions & { token?: string } = {},
): Promise<WatchedPage> {
  const { token: own = token, ...contextOptions } = options;
  const watched = await openPage(browser, contextOptions);
  await watched.page.goto(`${url}/dashboard#token=${encodeURIComponent(own)}`);
  await watched.page.getByRole("heading", { level: 1 }).waitFor();
  await watched.page.goto(`${url}/dashboard#${prompt}@production`);
  await watched.page.reload();
  await watched.page.getByRole("heading", { level: 1, name: prompt }).waitFor();
  await watched.page.locator(".segment").first().waitFor();
  return watched;
}

/** A call to the admin API as somebody else would make it. Throws when it is refused. */
export async function callAdmin<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const response = await fetch(`${url}/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Body;
}

let made = 0;

/** A prompt of its own with `versions` versions; the first is the baseline. */
export async function createPrompt(versions: number): Promise<string> {
  made += 1;
  const name = `page-${process.pid}-${made}`;
  await callAdmin("PUT", `/prompts/${name}`, { description: "Made by a test", owner: "tests" });
  for (let version = 1; version <= versions; version += 1) {
    await callAdmin("POST", `/prompts/${name}/versions`, {
      system: `You are version ${version}.`,
      note: `Note of version ${version}`,
    });
  }
  return name;
}

/** One request through the data plane; the version that it was served. */
export async function ask(prompt: string, key: string): Promise<number> {
  const response = await fetch(`${url}/p/${prompt}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "prompt-key": key },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  return Number(response.headers.get("prompt-version"));
}

/** A prompt whose versions behave as told; every request is a unit of its own. */
export async function createTold(versions: Partial<Behaviour>[]): Promise<string> {
  made += 1;
  const name = `told-${process.pid}-${made}`;
  await callAdmin("PUT", `/prompts/${name}`, { unit: "request" });
  for (const behaviour of versions) {
    await callAdmin("POST", `/prompts/${name}/versions`, { system: behave(behaviour), note: "As told" });
  }
  return name;
}

/** Keeps chats going with the provider that does as it is told, until it is stopped. */
export function keepChatting(prompt: string, loops = 8): { stop(): Promise<void> } {
  const state = { running: true };
  const options = { stream: true, stream_options: { include_usage: true } };
  const chat = async () => {
    const response = await fetch(`${url}/p/${prompt}/groq/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer told" },
      body: JSON.stringify({ model: "told", ...options, messages: [{ role: "user", content: "Hello" }] }),
    });
    await response.arrayBuffer();
  };
  const all = Array.from({ length: loops }, async () => {
    while (state.running) await chat();
  });
  return {
    stop: async () => {
      state.running = false;
      await Promise.all(all);
    },
  };
}

/** Waits until nothing moves any more. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
  });
}

/** Saves what is on the page when SCREENSHOTS names a directory. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const directory = process.env["SCREENSHOTS"];
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}
