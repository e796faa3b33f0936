// What on-call needs to decide a rollback, on the page: the verdict and its guardrails, the versions side by side, charts
// with the moments when the release changed, events. Traffic is real, through the Worker, to a provider that fails as told.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { findLowContrast, findUnnamed } from "./inspect.ts";
import { callAdmin, createPrompt, createTold, keepChatting, keepScreenshot, openDashboard } from "./pages.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launchChromium()));
afterAll(() => browser.close());

const healthOf = (page: Page) => page.getByRole("region", { name: "Health" });
const trafficOf = (page: Page) => page.getByRole("region", { name: "Traffic" });
const eventsOf = (page: Page) => page.getByRole("region", { name: "Events" });

/** A cell of the table of versions, by the row's name and the version's number. */
async function figureOf(page: Page, row: string, version: number): Promise<string> {
  const table = trafficOf(page).locator(".figures-table");
  const heads = await table
    .locator("thead > tr > *")
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute("data-version")));
  const line = table.locator("tbody tr", { has: page.getByRole("rowheader", { name: row, exact: true }) });
  return (
    (await line
      .locator("> *")
      .nth(heads.indexOf(String(version)))
      .textContent()) ?? ""
  );
}

describe("a canary that fails", () => {
  it("is seen with its verdict, its guardrail's numbers and the rollback in chart, events and log", async () => {
    const prompt = await createTold([{}, { failing: 0.5 }]);
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 20, transition: "now" });
    const { page, complaints, close } = await openDashboard(browser, prompt);
    const chats = keepChatting(prompt);
    const health = healthOf(page);
    await health.getByText("What took v2 off").waitFor({ timeout: 40_000 });
    await page.locator('.log [data-action="rollback"]').waitFor();
    await chats.stop();

    const guard = health.locator('tr[data-metric="errors"]');
    expect(await guard.getAttribute("data-state")).toBe("crossed");
    expect(await guard.textContent()).toMatch(
      /^Errors0(\.0)? % of [\d,]+?\d\d\.\d % of [\d,]+.*\d+\.\d of \d\.\drollbackcrossed$/,
    );
    // On a slow machine answers have become slower for the baseline, too.
    await health.locator(".verdict-chip", { hasText: /^(watching|upstream)$/ }).waitFor();
    for (const name of ["errors", "latency", "cost", "requests"]) {
      const mark = trafficOf(page).locator(`[data-chart="${name}"] .change[data-kind="guardrail"]`);
      await mark.waitFor();
    }
    expect(await figureOf(page, "Error rate", 2)).toMatch(/^\d\d\.\d % \d+\.\d to \d+\.\d %$/);
    const line = eventsOf(page).locator("li", { hasText: "Rolled back:" });
    expect(await line.textContent()).toMatch(
      /^prompt.*Errors 0 % on v1, \d\d\.\d % on v2 .*evidence \d+\.\d of \d\.\d/,
    );
    await page.getByText("The charts as a table").click();
    const change = trafficOf(page).locator(".series li", { hasText: "rollback by guardrail" });
    expect(await change.textContent()).toMatch(
      /: r\d+, rollback by guardrail: v1 80 % · v2 20 % → v1 100 %$/,
    );
    await page.getByText("The charts as a table").click();
    await keepScreenshot(page, "observed-rolled-back");
    await line.getByRole("link", { name: /^revision \d+$/ }).click();
    const revision = page.locator('.log [data-action="rollback"]');
    expect(await revision.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(complaints).toEqual([]);
    await close();
  }, 90_000);

  it("and whose guardrails only notify is called worse while it goes on", async () => {
    const prompt = await createTold([{}, { failing: 0.4 }]);
    await callAdmin("PUT", `/prompts/${prompt}`, { guardrails: { errors: { action: "notify" } } });
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 30, transition: "now" });
    const { page, close } = await openDashboard(browser, prompt);
    const chats = keepChatting(prompt);
    const health = healthOf(page);
    const status = health.getByRole("status");
    await status.evaluate((element) => element.setAttribute("data-kept", "yes"));
    await health
      .locator('.verdict-chip[data-tone="bad"]', { hasText: /^prompt(\+upstream)?$/ })
      .waitFor({ timeout: 40_000 });
    await health.getByText(/^The canary is worse/).waitFor();
    // What a screen reader says again is the verdict, not every figure that moves.
    expect(await status.getAttribute("data-kept")).toBe("yes");
    expect(await status.textContent()).toMatch(/^prompt(\+upstream)?The canary is worse[^\d]*$/);
    const guard = health.locator('tr[data-metric="errors"]');
    expect(await guard.textContent()).toMatch(/notifycrossed$/);
    expect(await guard.locator(".meter span").evaluate((fill: HTMLElement) => fill.style.width)).toBe("100%");
    await health.getByText(/^No data yet: .*thumbs down/).waitFor();
    const contrast = trafficOf(page).locator('.contrast[data-tone="worse"]').first();
    await contrast.getByText(/^\+\d\d\.\d pp$/).waitFor();
    await chats.stop();
    await close();
  }, 90_000);
});

describe("what nobody knows", () => {
  it("is called unknown: the cost of a model without a price is not 0", async () => {
    const prompt = await createTold([{ model: "house-model-7b" }, {}]);
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 50, transition: "now" });
    const chats = keepChatting(prompt);
    const { page, complaints, close } = await openDashboard(browser, prompt);
    await expect
      .poll(() => figureOf(page, "Cost of 1,000 answers", 2), { timeout: 30_000 })
      .toMatch(/^\$0\.\d+/);
    const cost = trafficOf(page).locator('[data-chart="cost"]');
    // While there is traffic: a step without any has no cost that could be unknown.
    await cost.locator(".readout", { hasText: /^v1 unknown/ }).waitFor();
    await chats.stop();
    expect(await figureOf(page, "Cost of 1,000 answers", 1)).toBe(
      "unknown no price of house-model-7b is known",
    );
    expect(await figureOf(page, "Thumbs up", 1)).toBe("none given");
    expect(await cost.locator('.line[data-version="1"]').getAttribute("d")).toBe("");
    expect(await cost.locator('.line[data-version="2"]').getAttribute("d")).not.toBe("");
    await keepScreenshot(page, "observed-unknown-cost");
    expect(complaints).toEqual([]);
    await close();
  }, 90_000);

  it("a prompt without traffic looks as it should: nothing to compare, no request, no event, no figure", async () => {
    const prompt = await createPrompt(2);
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 10 });
    const { page, complaints, close } = await openDashboard(browser, prompt);
    await healthOf(page)
      .locator(".verdict-chip", { hasText: /^waiting$/ })
      .waitFor();
    await healthOf(page).getByText("No data yet for any of the 12 guardrails").waitFor();
    await trafficOf(page).getByText("No requests in the last hour.").waitFor();
    await eventsOf(page).getByText("Nothing yet.").waitFor();
    expect(await page.locator(".chart:visible, .figures-table:visible, .guard-table:visible").count()).toBe(
      0,
    );
    await keepScreenshot(page, "observed-empty");
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("the charts", () => {
  it("are read by keyboard as well: a moment is chosen with the arrows, and its values are said", async () => {
    const prompt = await createTold([{ failing: 0.1 }]);
    const chats = keepChatting(prompt);
    const { page, close } = await openDashboard(browser, prompt);
    const chart = page.getByRole("slider", { name: "Requests over time" });
    // A quarter of a step of two minutes has to be over first.
    await expect.poll(() => chart.getAttribute("aria-valuetext"), { timeout: 60_000 }).toMatch(/v1 [1-9]/);
    await chats.stop();
    await chart.focus();
    expect(await trafficOf(page).locator(".cursor:visible").count()).toBe(4);
    const last = Number(await chart.getAttribute("aria-valuenow"));
    await chart.press("ArrowLeft");
    expect(Number(await chart.getAttribute("aria-valuenow"))).toBe(last - 1);
    expect(await chart.getAttribute("aria-valuetext")).toMatch(/^\d\d:\d\d UTC; v1 /);
    await page.getByText("The charts as a table").press("Enter");
    const row = trafficOf(page).locator(".series tbody tr").first();
    expect(await row.textContent()).toMatch(/^\d\d:\d\d UTCv1\d+/);
    await close();
  }, 90_000);

  it("keep the moment that a finger has pointed at", async () => {
    const prompt = await createTold([{}]);
    const chats = keepChatting(prompt);
    const { page, close } = await openDashboard(browser, prompt, { hasTouch: true });
    const chart = page.getByRole("slider", { name: "Requests over time" });
    await chart.waitFor({ timeout: 30_000 });
    await chats.stop();
    await chart.tap({ position: { x: 60, y: 40 } });
    expect(await trafficOf(page).locator(".cursor:visible").count()).toBe(4);
    expect(Number(await chart.getAttribute("aria-valuenow"))).toBeLessThan(15);
    await close();
  }, 60_000);

  it("follow the window that is chosen", async () => {
    const prompt = await createTold([{}]);
    const chats = keepChatting(prompt);
    const { page, complaints, close } = await openDashboard(browser, prompt);
    await trafficOf(page).locator(".figures-table").waitFor({ timeout: 30_000 });
    await chats.stop();
    for (const [label, window, step] of [
      ["15 min", "15m", "30s"],
      ["24 h", "24h", "30m"],
      ["7 d", "7d", "3h"],
    ] as const) {
      const asked = page.waitForResponse((response) =>
        response.url().includes(`window=${window}&step=${step}`),
      );
      await trafficOf(page).getByRole("button", { name: label }).press("Enter");
      expect((await asked).status()).toBe(200);
      await trafficOf(page).getByRole("button", { name: label, pressed: true }).waitFor();
    }
    expect(complaints).toEqual([]);
    await close();
  }, 60_000);
});

/** A figure that goes on while there is traffic. */
const requestsOf = (page: Page) => trafficOf(page).locator(".figures-table tbody tr").first();
const saysOf = (page: Page) => healthOf(page).locator(".says");

async function untilChanged(element: Locator, timeout = 30_000): Promise<void> {
  const before = await element.textContent();
  await expect.poll(() => element.textContent(), { timeout }).not.toBe(before);
}

/** A prompt whose panels have all been read, with its traffic. */
async function openBusy() {
  const prompt = await createTold([{}]);
  const chats = keepChatting(prompt);
  const watched = await openDashboard(browser, prompt);
  await requestsOf(watched.page).waitFor({ timeout: 30_000 });
  await saysOf(watched.page).getByText("requests").waitFor({ timeout: 30_000 });
  await eventsOf(watched.page).getByText("Nothing yet.").waitFor();
  return { ...watched, prompt, chats };
}

describe("a part that cannot be read", () => {
  it.each([
    ["release", "Release in force", requestsOf],
    ["health", "Health", requestsOf],
    ["events", "Events", requestsOf],
    ["metrics", "Traffic", saysOf],
  ] as const)(
    "%s says so and leaves the others alone, and goes on when it can be read again",
    async (part, name, otherOf) => {
      const { page, prompt, chats, close } = await openBusy();
      const failure = page.getByRole("region", { name }).getByText("The control plane answered HTTP 500");
      const broken = `**/admin/prompts/${prompt}/${part}?*`;
      await page.route(broken, (route) => route.fulfill({ status: 500, body: "no" }));
      await failure.waitFor();
      await untilChanged(otherOf(page));
      expect(await page.getByText("What stands here is from before.").count()).toBe(
        part === "release" ? 0 : 1,
      );
      await page.unroute(broken);
      await failure.waitFor({ state: "detached" });
      await chats.stop();
      await close();
    },
    90_000,
  );

  it("does not hold the others back while its answer does not come", async () => {
    const { page, prompt, chats, close } = await openBusy();
    const broken = `**/admin/prompts/${prompt}/metrics?*step*`;
    await new Promise<void>((resolve) => void page.route(broken, () => resolve()));
    // Less than the 20 s after which the page gives it up.
    await untilChanged(saysOf(page), 15_000);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await chats.stop();
    await close();
  }, 90_000);

  it("says so where its answer cannot be shown, and the others are drawn", async () => {
    const { page, prompt, chats, close } = await openBusy();
    await page.route(`**/admin/prompts/${prompt}/health?*`, (route) => route.fulfill({ json: {} }));
    await healthOf(page).getByText("This part cannot be shown.").waitFor();
    await untilChanged(requestsOf(page));
    await chats.stop();
    await close();
  }, 90_000);
});

describe.each(["light", "dark"] as const)("in the %s scheme", (colorScheme) => {
  it("all of it stands out from its background, has a name and fits a phone", async () => {
    const prompt = await createTold([{}, { failing: 0.4, model: "house-model-7b" }]);
    await callAdmin("PUT", `/prompts/${prompt}`, { guardrails: { errors: { action: "notify" } } });
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 30, transition: "now" });
    const chats = keepChatting(prompt);
    const viewport = { width: 400, height: 844 };
    const { page, complaints, close } = await openDashboard(browser, prompt, { colorScheme, viewport });
    await healthOf(page).locator('tr[data-state="crossed"]').waitFor({ timeout: 40_000 });
    await chats.stop();
    await trafficOf(page).locator(".chart").first().waitFor();
    await page.getByText("The charts as a table").click();
    expect(await findLowContrast(page)).toEqual([]);
    expect(await findUnnamed(page)).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    await keepScreenshot(page, `observed-phone-${colorScheme}`);
    expect(complaints).toEqual([]);
    await close();
  }, 90_000);
});
