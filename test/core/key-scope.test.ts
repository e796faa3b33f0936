// What a proxy key may be used for.

import { describe, expect, it } from "vitest";
import { PROVIDER_PATTERN } from "../../src/core/providers.ts";
import type { KeyGrant } from "../../src/core/ports.ts";
import {
  checkPassThrough,
  checkPrompt,
  checkProvider,
  feedbackScope,
  useOf,
} from "../../src/core/key-scope.ts";

const open: KeyGrant = {
  id: "1",
  name: "checkout",
  prompts: [],
  environments: [],
  providers: [],
  passThrough: true,
  requestsPerMinute: null,
  expiresAt: null,
};

describe("a proxy key", () => {
  it("that is scoped to nothing opens everything, and so does none", () => {
    expect(checkPrompt(open, "any", "staging")).toBeNull();
    expect(checkProvider(open, "openai")).toBeNull();
    expect(checkPassThrough(open)).toBeNull();
    expect(checkPrompt(null, "any", "staging")).toBeNull();
    expect(checkPassThrough(null)).toBeNull();
  });

  it("opens what it is scoped to and says so of everything else", () => {
    const key = { ...open, prompts: ["a", "b"], environments: ["staging"], providers: ["openai"] };
    expect(checkPrompt(key, "b", "staging")).toBeNull();
    expect(checkProvider(key, "openai")).toBeNull();
    for (const refused of [
      checkPrompt(key, "c", "staging"),
      checkPrompt(key, "a", "production"),
      checkProvider(key, "azure"),
      checkPassThrough({ ...key, passThrough: false }),
    ]) {
      expect(refused).toMatchObject({ problem: "forbidden" });
      expect(refused?.message).toContain(
        "the prompts a, b and the environments staging and the providers openai",
      );
    }
    expect(checkPrompt(key, "c", "staging")?.message).toContain("not for the prompt c");
  });

  it("for feedback opens no provider, in a deployment either that knows no such keys", () => {
    const key = { ...open, ...feedbackScope({ prompts: ["a"], environments: [], requestsPerMinute: 60 }) };
    expect(useOf(key)).toBe("feedback");
    expect(checkProvider(key, "openai")).toMatchObject({ problem: "forbidden" });
    expect(checkProvider(key, "openai")?.message).toContain("POST /feedback and nothing else");
    expect(checkPassThrough(key)).toMatchObject({ problem: "forbidden" });
    expect(checkPrompt(key, "a", "production")).toBeNull();
    expect(checkPrompt(key, "b", "production")?.message).toMatch(
      /is for the prompts a, not for the prompt b/,
    );
    // Which asks whether the list is empty or names the provider.
    expect(key.providers).not.toEqual([]);
    for (const provider of key.providers) expect(PROVIDER_PATTERN.test(provider)).toBe(false);
  });
});
