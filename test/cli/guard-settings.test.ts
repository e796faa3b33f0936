// Guardrails on the command line: written, read back, and refused with what would have been right.

import { describe, expect, it } from "vitest";
import { describeGuards, parseGuards } from "../../src/cli/guard-settings.ts";
import { guardrailsSchema } from "../../src/core/prompt-settings.ts";

describe("guardrails as they are written", () => {
  it("become settings that the API takes, and are shown as they were written", () => {
    const written = ["errors=notify", "latency=rollback,0.1", "judge_score=off"];
    const settings = parseGuards(written);
    expect(settings).toEqual({
      errors: { action: "notify" },
      latency: { action: "rollback", tolerance: 0.1 },
      judge_score: { action: "off" },
    });
    expect(guardrailsSchema.safeParse(settings).success).toBe(true);
    if (settings === null || typeof settings === "string") throw new Error("no settings");
    expect(describeGuards(settings)).toBe(written.join(" "));
  });

  it("are the defaults again where that is asked for, alone", () => {
    expect(parseGuards(["default"])).toBeNull();
    expect(parseGuards(["default", "errors=off"])).toMatch(/alone/);
  });

  it.each(["errors", "eror=off", "errors=stop", "errors=notify,much", "errors=notify,"])(
    "are refused in words: %s",
    (text) => {
      expect(parseGuards([text])).toMatch(/^--guard ".*": /);
    },
  );
});
