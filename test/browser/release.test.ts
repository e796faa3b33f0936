// The walk of a release on the page: canary, watch, roll back, read the log. The Worker behind it is the real one, and
// what the page claims is compared with what the data plane does.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { ask, callAdmin, createPrompt, keepScreenshot, openDashboard, settle } from "./pages.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launchChromium()));
afterAll(() => browser.close());

async function setCanary(page: Page, weight: number, reason: string): Promise<void> {
  const card = page.getByRole("region", { name: "Canary" });
  await card.getByLabel("Weight in percent", { exact: true }).fill(String(weight));
  await card.getByLabel("Reason").fill(reason);
  await card.getByRole("button", { name: `Send ${weight} % to v2` }).click();
  await page.getByRole("status").getByText(`v2 is at ${weight} % now`).waitFor();
}

/** Share of the bar that a version's segment takes, once it has stopped moving. */
async function shareOfBar(page: Page, version: number): Promise<number> {
  await settle(page);
  const bar = await page.locator(".bar").boundingBox();
  const segment = await page.locator(`.segment[data-version="${version}"]`).boundingBox();
  return (segment?.width ?? 0) / (bar?.width ?? 1);
}

describe("the demo", () => {
  it("shows the seeded prompt with its two versions, all weight on the first", async () => {
    const { page, complaints, close } = await openDashboard(browser, "support-bot");
    await page.locator('.segment[data-version="1"]', { hasText: "100 %" }).waitFor();
    const versions = page.getByRole("region", { name: "Versions" });
    await versions.getByText("The refund policy as legal wrote it").waitFor();
    await versions.getByText("Warmer tone (and it drops the refund policy)").waitFor();
    await page.getByRole("region", { name: "Compare" }).locator(".added").first().waitFor();
    await versions.locator("summary").first().click();
    await versions.locator("mark", { hasText: "{{product}}" }).first().waitFor();
    await keepScreenshot(page, "demo");
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("a prompt", () => {
  it("says what an app has to change, for each provider's SDKs, and which settings are not the usual ones", async () => {
    const prompt = await createPrompt(1);
    await callAdmin("PUT", `/prompts/${prompt}`, { shield: false, agents: "off" });
    const { page, complaints, close } = await openDashboard(browser, prompt);
    await page.getByText("sticky per conversation · shield off · no prompt for coding agents").waitFor();
    const urls = await page.getByRole("region", { name: "Connect an app" }).locator("code").allTextContents();
    const bases = urls.map((url) => new URL(url).pathname);
    expect(bases).toEqual(
      ["openai/v1", "anthropic", "gemini", "bedrock"].map((base) => `/p/${prompt}/${base}`),
    );
    await keepScreenshot(page, "settings");
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("a canary and its rollback", () => {
  it("goes live at 25 %, is counted, and is taken back with a countdown and a line in the log", async () => {
    const prompt = await createPrompt(2);
    const { page, complaints, close } = await openDashboard(browser, prompt);
    await setCanary(page, 25, "first look");
    expect(await shareOfBar(page, 2)).toBeCloseTo(0.25, 1);
    expect(await page.locator(".bar").getAttribute("aria-label")).toContain("version 2, canary: 25 %");

    const served = await askUntilBothVersions(prompt);
    expect(served).toEqual([1, 2]);
    const requests = page.locator('.arm[data-version="2"] .figure', { hasText: "Requests" }).locator("dd");
    await expect
      .poll(async () => Number(await requests.textContent()), { timeout: 15_000 })
      .toBeGreaterThan(0);
    await keepScreenshot(page, "canary");

    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `Roll back ${prompt}?` });
    await dialog.getByText("Takes v2 off: everybody back on v1.").waitFor();
    await dialog.getByLabel("Reason").fill("promises refunds");
    await keepScreenshot(page, "dialog");
    await dialog.getByRole("button", { name: "Roll back now" }).click();
    const strip = page.getByRole("region", { name: "Rollback" });
    await strip.getByText("Rolled back: v2 → v1").waitFor();
    await strip.locator(".clock", { hasText: /\d\.\d s/ }).waitFor();
    await keepScreenshot(page, "countdown");
    await strip.getByText("Enforced everywhere since").waitFor();
    expect(new Set(await Promise.all(keys(40).map((key) => ask(prompt, key))))).toEqual(new Set([1]));

    const line = page.locator('.log [data-action="rollback"]');
    expect(await line.textContent()).toContain("v1 75 % · v2 25 % → v1 100 %");
    expect(await line.textContent()).toContain("promises refunds");
    await page.locator('.arm[data-version="2"]', { hasText: "No traffic" }).waitFor();
    await keepScreenshot(page, "rolled-back");
    expect(complaints).toEqual([]);
    await close();
  });

  it("claims nothing before the promised moment has come", async () => {
    const prompt = await createPrompt(2);
    const { page, close } = await openDashboard(browser, prompt);
    await setCanary(page, 50, "half");
    const answered = page.waitForResponse((response) => response.url().endsWith("/rollback"));
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.getByRole("button", { name: "Roll back now" }).click();
    const { enforcedBy } = (await (await answered).json()) as { enforcedBy: string };
    await page.getByText("Enforced everywhere since").waitFor();
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(enforcedBy));
    await close();
  });

  it("follows what others do without a reload", async () => {
    const prompt = await createPrompt(2);
    const { page, close } = await openDashboard(browser, prompt);
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 10, reason: "by the CI" });
    await page.locator('.segment[data-version="2"]').waitFor();
    await page.getByRole("region", { name: "Audit log" }).getByText("by the CI").waitFor();
    await callAdmin("POST", `/prompts/${prompt}/versions`, { system: "Third." });
    await page.getByRole("region", { name: "Versions" }).getByText("v3").waitFor();
    await close();
  });

  it("promotes, and then goes back to the baseline before", async () => {
    const prompt = await createPrompt(2);
    const { page, complaints, close } = await openDashboard(browser, prompt);
    await page.getByRole("button", { name: "Promote version 2 to baseline" }).click();
    await page.getByRole("button", { name: "Promote v2" }).click();
    await page.getByRole("status").getByText("v2 is the baseline now").waitFor();
    await page.locator('.segment[data-version="2"]', { hasText: "100 %" }).waitFor();
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.getByRole("button", { name: "Roll back now" }).click();
    await page.getByText("Rolled back: v2 → v1").waitFor();
    await page.locator('.segment[data-version="1"]', { hasText: "100 %" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("explains what a key gets, as the data plane decides it", async () => {
    const prompt = await createPrompt(2);
    await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 2, weight: 50, transition: "now" });
    const { page, close } = await openDashboard(browser, prompt);
    await expect.poll(() => askUntilBothVersions(prompt), { timeout: 15_000 }).toEqual([1, 2]);
    for (const key of keys(3)) {
      const version = await ask(prompt, key);
      await page.getByLabel("Unit key").fill(key);
      await page.getByRole("button", { name: "Explain" }).click();
      await page.locator(".answer", { hasText: `${key} gets v${version}` }).waitFor();
    }
    await close();
  });
});

function keys(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user-${index}`);
}

/** The versions that 40 keys get, in order. */
async function askUntilBothVersions(prompt: string): Promise<number[]> {
  const served = await Promise.all(keys(40).map((key) => ask(prompt, key)));
  return [...new Set(served)].toSorted((left, right) => left - right);
}
