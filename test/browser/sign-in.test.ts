// Signing in: the token is asked for once, refused when wrong, and never left in the address.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "./chromium.ts";
import { keepScreenshot, openPage, token, url } from "./pages.ts";

let browser: Browser;
beforeAll(async () => void (browser = await launchChromium()));
afterAll(() => browser.close());

/** Chromium reports a 401 as an error of the console, whatever the page makes of it. */
const REFUSED = /status of 401/;

describe("signing in", () => {
  it("refuses a wrong token, says why, and takes the right one after it", async () => {
    const { page, complaints, close } = await openPage(browser);
    await page.goto(`${url}/dashboard`);
    await page.getByLabel("Admin token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("Not authenticated").waitFor();
    expect(await page.getByLabel("Admin token").getAttribute("aria-invalid")).toBe("true");
    await keepScreenshot(page, "wrong-token");
    await page.getByLabel("Admin token").fill(token);
    await page.getByLabel("Admin token").press("Enter");
    await page.getByRole("heading", { name: "In force" }).waitFor();
    expect(complaints.filter((text) => !REFUSED.test(text))).toEqual([]);
    await close();
  });

  it("takes the token from the printed link and leaves none of it in the address", async () => {
    const { page, complaints, close } = await openPage(browser);
    await page.goto(`${url}/dashboard#token=${encodeURIComponent(token)}`);
    await page.getByRole("heading", { name: "In force" }).waitFor();
    expect(page.url()).not.toContain(token);
    expect(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).toBe("{}");
    await page.reload();
    await page.getByRole("heading", { name: "In force" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("has cleared the address before the server has said anything", async () => {
    const { page, close } = await openPage(browser);
    await page.route("**/admin/**", () => {});
    const asked = page.waitForRequest("**/admin/whoami");
    await page.goto(`${url}/dashboard#token=${encodeURIComponent(token)}`);
    expect((await asked).headers()["authorization"]).toBe(`Bearer ${token}`);
    expect(page.url()).toBe(`${url}/dashboard`);
    await close();
  });

  it("forgets the token on signing out", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${url}/dashboard#token=${encodeURIComponent(token)}`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin token").waitFor();
    await page.reload();
    await page.getByLabel("Admin token").waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await close();
  });

  it("tells a server that does not answer from a wrong token", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${url}/dashboard`);
    await page.route("**/admin/**", (route) => route.abort());
    await page.getByLabel("Admin token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The control plane does not answer").waitFor();
    await close();
  });

  it("shows no page to a frame of another origin and runs nothing but its own script", async () => {
    const response = await fetch(`${url}/dashboard`);
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    const { page, complaints, close } = await openPage(browser);
    await page.goto(`${url}/dashboard`);
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      try {
        script.textContent = "window.injected = true";
      } catch {
        return "refused";
      }
      document.body.append(script);
      return "injected" in window ? "ran" : "refused";
    });
    expect(ran).toBe("refused");
    expect(complaints.join()).toMatch(/Content Security Policy|TrustedScript/);
    await close();
  });
});
