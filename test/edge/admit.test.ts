import { describe, expect, it } from "vitest";
import { asksForKey } from "../../src/edge/admit.ts";

describe("REQUIRE_KEY", () => {
  it.each(["true", "True", "TRUE ", "1", "yes", "on", "ture"])("%j closes the door", (value) => {
    expect(asksForKey({ REQUIRE_KEY: value })).toBe(true);
  });

  it.each([undefined, "", "false", "False", "0", "no", " off "])("%j leaves it open", (value) => {
    expect(asksForKey(value === undefined ? {} : { REQUIRE_KEY: value })).toBe(false);
  });
});
