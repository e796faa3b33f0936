// When the server says no, or nothing: the page says what and where, loses nothing that was typed, and recovers.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { callAdmin, createPrompt, keepScreenshot, openDashboard } from "./pages.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launchChromium()));
afterAll(() => browser.close());

describe("a refusal", () => {
  it("of a stale revision says that somebody else was faster and shows what is there now", async () => {
    const prompt = await createPrompt(3);
    const { page, close } = await openDashboard(browser, prompt);
    await page.route(
      "**/canary",
      async (route) => {
        await callAdmin("POST", `/prompts/${prompt}/canary`, { version: 3, weight: 40, reason: "the other" });
        await route.continue();
      },
      { times: 1 },
    );
    await page.getByLabel("Reason").fill("mine");
    await page.getByRole("button", { name: /^Send 5 % to v/ }).click();
    await page.getByRole("alert").getByText("Somebody else has changed this release").waitFor();
    await page.getByText("It is at revision 2 now").waitFor();
    await page.locator('.segment[data-version="3"]', { hasText: "40 %" }).waitFor();
    expect(await page.getByLabel("Reason").inputValue()).toBe("mine");
    await keepScreenshot(page, "stale");
    await close();
  });

  it("of a field marks the field and shows the server's words", async () => {
    const prompt = await createPrompt(2);
    const { page, close } = await openDashboard(browser, prompt);
    const weight = page.getByLabel("Weight in percent", { exact: true });
    await weight.fill("33.333");
    await page
      .locator("form")
      .first()
      .evaluate((form: HTMLFormElement) => (form.noValidate = true));
    await page.getByRole("button", { name: "Send 33.33 % to v2" }).click();
    await page.getByRole("alert").getByText("weight must be in steps of 0.01").waitFor();
    expect(await weight.getAttribute("aria-invalid")).toBe("true");
    expect(await weight.evaluate((element) => element === document.activeElement)).toBe(true);
    await keepScreenshot(page, "field");
    await close();
  });

  it("of the whole act stays in the dialog that asked for it", async () => {
    const prompt = await createPrompt(2);
    const { page, close } = await openDashboard(browser, prompt);
    await page.getByRole("button", { name: "Promote version 2 to baseline" }).click();
    await callAdmin("POST", `/prompts/${prompt}/versions/2/revoke`, { reason: "leaks" });
    await page.getByRole("button", { name: "Promote v2" }).click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
    expect(await page.getByRole("dialog").isVisible()).toBe(true);
    await close();
  });
});

describe("a viewer", () => {
  it("sees everything and can change nothing", async () => {
    const prompt = await createPrompt(2);
    const minted = await callAdmin<{ token: string }>("POST", "/tokens", {
      name: `viewer of ${prompt}`,
      role: "viewer",
    });
    const { page, complaints, close } = await openDashboard(browser, prompt, { token: minted.token });
    expect(await page.getByRole("button", { name: "Roll back", exact: true }).isDisabled()).toBe(true);
    await page.getByText("Your token may look, but not change anything.").first().waitFor();
    expect(await page.getByRole("button", { name: /^Send/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });
});

describe("a control plane that does not answer", () => {
  it("is said to be out of reach, with the last figures kept, until it answers again", async () => {
    const prompt = await createPrompt(1);
    const { page, close } = await openDashboard(browser, prompt);
    await page.route("**/admin/**", (route) => route.abort());
    await page.getByText("The control plane does not answer.").waitFor();
    expect(await page.locator(".segment").count()).toBe(1);
    await page.unroute("**/admin/**");
    await page.getByText("The control plane does not answer.").waitFor({ state: "detached" });
    await close();
  });

  it("gets a repeated act under the same Idempotency-Key", async () => {
    const prompt = await createPrompt(2);
    const { page, close } = await openDashboard(browser, prompt);
    const sent: (string | undefined)[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/canary")) sent.push(request.headers()["idempotency-key"]);
    });
    await page.route("**/canary", (route) => route.abort(), { times: 1 });
    await page.getByRole("button", { name: "Send 5 % to v2" }).click();
    await page.getByRole("alert").getByText("The control plane does not answer").waitFor();
    await page.getByRole("button", { name: "Send 5 % to v2" }).click();
    await page.getByRole("status").getByText("v2 is at 5 % now").waitFor();
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(sent[1]).toBe(sent[0]);
    await close();
  });
});

describe("a page without anything to show", () => {
  it("says what to do for a prompt without a version, and for an environment without a release", async () => {
    const name = await createPrompt(0);
    const full = await createPrompt(1);
    const { page, complaints, close } = await openDashboard(browser, full);
    await page.getByRole("button", { name: new RegExp(`^${name}`) }).click();
    await page.getByText("This prompt has no version yet.").waitFor();
    await page.getByRole("button", { name: new RegExp(`^${full}`) }).click();
    await page.getByLabel("Environment").selectOption("+");
    await page.getByLabel("Name").fill("staging");
    await page.getByRole("button", { name: "Show it" }).click();
    await page.getByText("staging has no release yet.").waitFor();
    await keepScreenshot(page, "empty-environment");
    expect(complaints.filter((text) => !/status of 404/.test(text))).toEqual([]);
    await close();
  });
});
