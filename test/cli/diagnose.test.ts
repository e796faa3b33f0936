// `switchback diagnose`: the answer first, every reason whole, nothing wider than the screen, plain text in a pipe.

import { describe, expect, it } from "vitest";
import { formatDiagnosis } from "../../src/cli/show/diagnosis.ts";
import { wrap } from "../../src/cli/show/wrap.ts";
import { measure, type Look } from "../../src/cli/show/look.ts";
import { diagnosis, NOW_MS } from "./samples.ts";

const LOOK: Look = { width: 80, height: 40, cut: true, colour: false, unicode: true };

describe("diagnose", () => {
  it("says the likeliest cause first, with what speaks for and against each suspect", () => {
    const lines = formatDiagnosis(LOOK, diagnosis, NOW_MS);
    expect(lines[1]).toMatch(/^ {2}Likeliest: the prompt/);
    const text = lines.join("\n");
    expect(text).toMatch(/the prompt {2}weight 0.90\n {4}\+ answers that failed: 10 % of v3/);
    expect(text).toMatch(/the callers {2}weight 0.40\n {4}\+ .*\n {4}- the canary is worse/);
    expect(text).toMatch(/v3 +canary +65 of 648 +invalid_request 60, timeout 5/);
    expect(text).toMatch(/11:58:00Z {2}onset .*\n.*11:57:30Z {2}release/);
  });

  it("says until when it was where it is over", () => {
    const onset = { ...diagnosis.onset!, until: "2026-03-01T11:59:00.000Z" };
    expect(formatDiagnosis(LOOK, diagnosis, NOW_MS).join("\n")).not.toContain("until");
    const text = formatDiagnosis(LOOK, { ...diagnosis, onset }, NOW_MS).join("\n");
    expect(text).toMatch(/11:58:00Z \(.*\), until .*11:59:00Z: errors rose/);
  });

  it("is never wider than the screen, and cuts no reason", () => {
    for (const width of [60, 80, 120]) {
      const lines = formatDiagnosis({ ...LOOK, width }, diagnosis, NOW_MS);
      for (const line of lines) expect(measure(line), line).toBeLessThanOrEqual(width);
      const words = lines.join(" ").replace(/\s+/g, " ");
      for (const { for: why, against } of diagnosis.suspects) {
        for (const reason of [...why, ...against]) expect(words).toContain(reason);
      }
    }
  });

  it("says so where nothing was found, and shows no empty tables", () => {
    const nothing = { ...diagnosis, summary: "Nothing found.", onset: null, suspects: [], timeline: [] };
    expect(formatDiagnosis(LOOK, { ...nothing, errorClasses: [] }, NOW_MS)).toEqual([
      expect.stringContaining("support-bot"),
      "  Nothing found.",
    ]);
  });

  it("lets no sentence of the server's move the cursor", () => {
    const evil = { ...diagnosis, summary: "bad\u001b[2Jend" };
    expect(formatDiagnosis(LOOK, evil, NOW_MS).join("\n")).not.toContain("\u001b");
  });

  it("wraps at blanks with a hanging indent, and not at all in a pipe", () => {
    expect(wrap({ ...LOOK, width: 12 }, "+ one two three", 2, 2)).toEqual(["  + one two", "    three"]);
    expect(wrap({ ...LOOK, width: 12, cut: false }, "+ one two three", 2, 2)).toEqual(["  + one two three"]);
  });
});
