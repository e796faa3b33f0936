// A ramp on the page: started from the canary card, seen with its whole plan, paused, resumed, and ended by a rollback.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { findLowContrast, findUnnamed } from "./inspect.ts";
import { callAdmin, createPrompt, keepScreenshot, openDashboard } from "./pages.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launchChromium()));
afterAll(() => browser.close());

const panelOf = (page: Page) => page.getByRole("region", { name: "Ramp" });

async function stagesOf(page: Page): Promise<string[]> {
  const stages = panelOf(page).getByRole("list", { name: "Steps" }).getByRole("listitem");
  return (await stages.allTextContents()).map((text) => text.trim());
}

async function confirm(page: Page, title: string, button: string, reason: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: title });
  await dialog.getByLabel("Reason").fill(reason);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

describe("a ramp", () => {
  it("is started, shown with its plan, paused, resumed and ended by a rollback; the log tells all of it", async () => {
    const prompt = await createPrompt(2);
    const { page, complaints, close } = await openDashboard(browser, prompt);
    expect(await panelOf(page).isVisible()).toBe(false);
    await page.getByRole("button", { name: "Ramp it up …" }).click();
    const dialog = page.getByRole("dialog", { name: "Ramp v2 up?" });
    await dialog.getByLabel("Steps").fill("10%, 50, 100");
    await dialog.getByLabel("At each step for at least").fill("30");
    await keepScreenshot(page, "ramp-dialog");
    await confirm(page, "Ramp v2 up?", "Start the ramp of v2", "a good week");
    await page.getByRole("status").getByText("The ramp of v2 begins at 10 %").waitFor();

    const panel = panelOf(page);
    await panel.getByText("30 m at 10 %, 30 m to go", { exact: false }).waitFor();
    expect(await stagesOf(page)).toEqual(["10 %", "50 %", "95 % for 24 h", "100 %"]);
    expect(await panel.locator('[aria-current="step"]').textContent()).toBe("10 %");
    await page.locator('.segment[data-version="2"]', { hasText: "10 %" }).waitFor();
    await page.getByRole("button", { name: /^Send .* to v2 and end the ramp$/ }).waitFor();
    expect(await page.getByRole("button", { name: "Ramp it up …" }).isVisible()).toBe(false);
    await keepScreenshot(page, "ramp");

    await panel.getByRole("button", { name: "Pause the ramp" }).click();
    await confirm(page, "Pause the ramp?", "Pause the ramp", "lunch");
    await panel.getByText("Paused at 10 %; resume it to go on.").waitFor();
    await panel.getByRole("button", { name: "Resume the ramp" }).click();
    await confirm(page, "Resume the ramp?", "Resume the ramp", "");
    await panel.getByText("30 m to go", { exact: false }).waitFor();

    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.getByRole("button", { name: "Roll back now" }).click();
    await panel.waitFor({ state: "hidden" });
    const log = page.getByRole("region", { name: "Audit log" });
    await log.getByText("ends the ramp").waitFor();
    for (const words of ["ramp started", "ramp paused", "ramp resumed"]) {
      expect(await log.getByText(words, { exact: true }).count()).toBe(1);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  it("is stopped, and the weights stay", async () => {
    const prompt = await createPrompt(2);
    await callAdmin("POST", `/prompts/${prompt}/ramp`, { version: 2 });
    const { page, close } = await openDashboard(browser, prompt);
    await panelOf(page).getByRole("button", { name: "Stop the ramp" }).click();
    await confirm(page, "Stop the ramp?", "Stop the ramp", "enough");
    await panelOf(page).waitFor({ state: "hidden" });
    await page.locator('.segment[data-version="2"]', { hasText: "5 %" }).waitFor();
    await close();
  });

  it("with a plan that cannot be is refused where it was written, with the mend", async () => {
    const prompt = await createPrompt(2);
    const { page, close } = await openDashboard(browser, prompt);
    await page.getByRole("button", { name: "Ramp it up …" }).click();
    const dialog = page.getByRole("dialog", { name: "Ramp v2 up?" });
    await dialog.getByLabel("Steps").fill("25, 5, 100");
    await dialog.getByRole("button", { name: "Start the ramp of v2" }).click();
    await dialog.getByText("Steps ascend: 5 may not follow 25.").waitFor();
    expect(await dialog.getByLabel("Steps").getAttribute("aria-invalid")).toBe("true");
    await close();
  });
});

describe.each(["light", "dark"] as const)("in the %s scheme", (colorScheme) => {
  it("a ramp stands out from its background and fits a phone, and all that acts has a name", async () => {
    const prompt = await createPrompt(2);
    await callAdmin("POST", `/prompts/${prompt}/ramp`, { version: 2, steps: [1, 2, 5, 10, 25, 50, 75, 100] });
    const viewport = { width: 390, height: 844 };
    const { page, complaints, close } = await openDashboard(browser, prompt, { colorScheme, viewport });
    await panelOf(page).waitFor();
    expect(await findLowContrast(page)).toEqual([]);
    expect(await findUnnamed(page)).toEqual([]);
    await callAdmin("POST", `/prompts/${prompt}/ramp/pause`);
    await panelOf(page).getByText("paused", { exact: true }).waitFor();
    expect(await findLowContrast(page)).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    await keepScreenshot(page, `ramp-phone-${colorScheme}`);
    expect(complaints).toEqual([]);
    await close();
  });
});
