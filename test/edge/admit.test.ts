// What decides at the door, where no other room is asked.

import { afterEach, describe, expect, it, vi } from "vitest";
import { asksForKey, checkRate } from "../../src/edge/admit.ts";

describe("REQUIRE_KEY", () => {
  it.each(["true", "True", "TRUE ", "1", "yes", "on", "ture"])("%j closes the door", (value) => {
    expect(asksForKey({ REQUIRE_KEY: value })).toBe(true);
  });

  it.each([undefined, "", "false", "False", "0", "no", " off "])("%j leaves it open", (value) => {
    expect(asksForKey(value === undefined ? {} : { REQUIRE_KEY: value })).toBe(false);
  });
});

describe("a limit in requests a minute", () => {
  afterEach(() => vi.useRealTimers());

  const key = { id: "key", requestsPerMinute: 60 };
  const limited = (limit: () => Promise<{ success: boolean }>) =>
    checkRate(key, { RATE_LIMIT_60: { limit } });

  it("is the platform's to count", async () => {
    expect(await limited(async () => ({ success: true }))).toBeNull();
    expect(await limited(async () => ({ success: false }))).toMatchObject({ problem: "rate_limited" });
  });

  it("holds nobody up where its counter fails, is not there or says nothing", async () => {
    expect(await limited(() => Promise.reject(new Error("down")))).toBeNull();
    expect(await checkRate(key, {})).toBeNull();
    expect(await checkRate({ ...key, requestsPerMinute: null }, {})).toBeNull();
    vi.useFakeTimers();
    const silent = limited(() => new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await silent).toBeNull();
  });
});
