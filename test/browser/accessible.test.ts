// Usable by everybody: on a phone, in both colour schemes, by keyboard, and with names for everything that acts.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { findLowContrast, findUnnamed } from "./inspect.ts";
import { callAdmin, createPrompt, keepScreenshot, openDashboard, openPage, url } from "./pages.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launchChromium()));
afterAll(() => browser.close());

const PHONE = { width: 390, height: 844 };

async function promptWithHistory(): Promise<string> {
  const prompt = await createPrompt(3);
  await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 25, reason: "r".repeat(200) });
  await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 3, weight: 0.5, transition: "now" });
  return prompt;
}

function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

describe.each(["light", "dark"] as const)("in the %s scheme", (colorScheme) => {
  it("all text stands out from its background, dialogs and messages included", async () => {
    const prompt = await promptWithHistory();
    const { page, close } = await openDashboard(browser, prompt, { colorScheme });
    await page.locator(".versions summary").first().click();
    await page.locator(".message").first().waitFor();
    await page.locator(".diff .added").first().waitFor();
    await page.getByLabel("Unit key").fill("user-1");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator(".answer").waitFor();
    expect(await findLowContrast(page)).toEqual([]);
    for (const acting of [".danger", ".primary", ".quiet", ".chip", ".entry"]) {
      await page.locator(acting).first().hover();
      expect(await findLowContrast(page)).toEqual([]);
    }
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.getByRole("button", { name: "Roll back now" }).hover();
    expect(await findLowContrast(page)).toEqual([]);
    await page.getByRole("button", { name: "Roll back now" }).click();
    await page.locator(".strip[data-state=waiting]").waitFor();
    expect(await findLowContrast(page)).toEqual([]);
    await page.locator(".strip[data-state=enforced]").waitFor();
    expect(await findLowContrast(page)).toEqual([]);
    await close();
  });

  it("the sign-in form is readable, too", async () => {
    const { page, close } = await openPage(browser, { colorScheme });
    await page.goto(`${url}/dashboard`);
    await page.getByLabel("Admin token").waitFor();
    expect(await findLowContrast(page)).toEqual([]);
    expect(await findUnnamed(page)).toEqual([]);
    await close();
  });

  it("fits a phone of 390 px without scrolling sideways", async () => {
    const prompt = await promptWithHistory();
    const { page, complaints, close } = await openDashboard(browser, prompt, {
      colorScheme,
      viewport: PHONE,
    });
    await page.locator(".versions summary").first().click();
    await page.locator(".message").first().waitFor();
    await page.locator(".diff .added").first().waitFor();
    expect(await overflowOf(page)).toBe(0);
    await keepScreenshot(page, `phone-${colorScheme}`);
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    const dialog = await page.getByRole("dialog").boundingBox();
    expect(dialog?.width).toBeLessThanOrEqual(PHONE.width);
    await page.getByRole("button", { name: "Roll back now" }).click();
    await page.getByText("Enforced everywhere since").waitFor();
    expect(await overflowOf(page)).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("without a mouse", () => {
  it("everything that acts has a name", async () => {
    const prompt = await promptWithHistory();
    const { page, close } = await openDashboard(browser, prompt);
    expect(await findUnnamed(page)).toEqual([]);
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    expect(await findUnnamed(page)).toEqual([]);
    await close();
  });

  it("a rollback can be made with the keyboard alone", async () => {
    const prompt = await promptWithHistory();
    const { page, close } = await openDashboard(browser, prompt);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the release");
    await page.keyboard.press("Enter");
    await tabUntil(page, "Roll back");
    await page.keyboard.press("Enter");
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Roll back");
    await page.keyboard.press("Enter");
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Enter");
    await page.getByText("Rolled back:").waitFor();
    await page.locator('.log [data-action="rollback"]', { hasText: "by keyboard" }).waitFor();
    await close();
  });

  it("the focus stays where it is while figures come and go", async () => {
    const prompt = await promptWithHistory();
    const { page, close } = await openDashboard(browser, prompt);
    const promote = page.getByRole("button", { name: "Promote version 2", exact: true });
    await promote.focus();
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 30 });
    await page.locator('.arm[data-version="2"]', { hasText: "30 %" }).waitFor();
    expect(await promote.evaluate((element) => element === document.activeElement)).toBe(true);
    await close();
  });
});

async function tabUntil(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement?.textContent)) === text) return;
  }
  throw new Error(`Tab never reaches "${text}"`);
}
