// The page that is shipped: built from its sources, self-contained, and unable to run anything that is not its own.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { buildDashboard } from "../../scripts/build-dashboard.ts";
import { DASHBOARD_HTML } from "../../src/dashboard/built.ts";
import { respondDashboard } from "../../src/dashboard/page.ts";

const BUILT = new URL("../../src/dashboard/built.ts", import.meta.url);

/** The inside of the only element of this name. */
function insideOf(tag: string): string {
  const found = [...DASHBOARD_HTML.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, "g"))];
  expect(found).toHaveLength(1);
  return found[0]?.[1] ?? "";
}

function policyOf(response: Response): Map<string, string> {
  const text = response.headers.get("content-security-policy") ?? "";
  return new Map(
    text.split("; ").map((rule) => [rule.split(" ")[0] ?? "", rule.split(" ").slice(1).join(" ")]),
  );
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

describe("the dashboard page", () => {
  it("is the one that its sources build (else: npm run dashboard)", async () => {
    expect(await readFile(BUILT, "utf8")).toBe(await buildDashboard());
  });

  it("allows its own script and style by hash, and nothing else", () => {
    const policy = policyOf(respondDashboard());
    expect(policy.get("default-src")).toBe("'none'");
    expect(policy.get("script-src")).toBe(hash(insideOf("script")));
    expect(policy.get("style-src")).toBe(hash(insideOf("style")));
    expect(policy.get("connect-src")).toBe("'self'");
    expect(policy.get("frame-ancestors")).toBe("'none'");
    expect(policy.get("require-trusted-types-for")).toBe("'script'");
  });

  it("needs nothing from elsewhere and never turns text into markup", () => {
    const links = [...DASHBOARD_HTML.matchAll(/(?:src|href)=["']?([^"'\s>]+)/g)].map((match) => match[1]);
    expect(links.filter((link) => !link?.startsWith("data:"))).toEqual([]);
    expect(insideOf("script")).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function/);
  });

  it("is not sniffed, framed, or kept without asking", () => {
    const { headers } = respondDashboard();
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-cache");
  });

  it("stays small: at most 34 KiB gzipped", async () => {
    const { gzipSync } = await import("node:zlib");
    expect(gzipSync(DASHBOARD_HTML).length).toBeLessThan(34 * 1024);
  });
});
