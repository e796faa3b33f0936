// The formatters: what a person concludes from the text must be true of the data, at every width, with and without
// colours and Unicode.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RampMark, RampView } from "../../src/core/ramps.ts";
import type { Release, Revision } from "../../src/core/types.ts";
import { divideCells, formatBar } from "../../src/cli/show/bar.ts";
import { formatDiff, formatPrompts, formatVersion, formatVersions } from "../../src/cli/show/content.ts";
import { formatExplanation } from "../../src/cli/show/explanation.ts";
import { describeChange, formatHistory } from "../../src/cli/show/history.ts";
import {
  detectLook,
  measure,
  paint,
  plain,
  plainBlock,
  truncate,
  type Look,
} from "../../src/cli/show/look.ts";
import { formatProblem } from "../../src/cli/show/problem.ts";
import { formatRamp } from "../../src/cli/show/ramp.ts";
import { formatRelease } from "../../src/cli/show/release.ts";
import { formatRollback } from "../../src/cli/show/rollback.ts";
import { formatTable } from "../../src/cli/show/table.ts";
import { formatAge } from "../../src/cli/show/time.ts";
import {
  metrics,
  NOW,
  NOW_MS,
  prompt,
  ramp,
  ramping,
  release,
  revision,
  rollback,
  routing,
  SAMPLES,
  version,
  versions,
} from "./samples.ts";

const LOOK: Look = { width: 100, height: 40, cut: true, colour: false, unicode: true };
const ASCII: Look = { ...LOOK, unicode: false };
const COLOUR: Look = { ...LOOK, colour: true };
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[\d+m/g;

describe("the bar", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 6 });

  it("always fills its columns, shows every arm that has a weight and no arm that has none", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 6, max: 120 }), (values, columns) => {
        const cells = divideCells(values, columns);
        const total = cells.reduce((sum, count) => sum + count, 0);
        expect(total).toBe(values.some((value) => value > 0) ? columns : 0);
        values.forEach((value, place) => expect(cells[place]! > 0).toBe(value > 0));
      }),
    );
  });

  it("is off by less than a cell where no arm is too small to see", () => {
    expect(divideCells([75, 25], 40)).toEqual([30, 10]);
    expect(divideCells([95, 5], 40)).toEqual([38, 2]);
    expect(divideCells([99.99, 0.01], 40)).toEqual([39, 1]);
  });

  it("tells arms apart without colours, and in ASCII", () => {
    expect(new Set(formatBar(LOOK, [60, 30, 10], 30)).size).toBe(3);
    const ascii = formatBar(ASCII, [60, 30, 10], 30);
    expect(new Set(ascii).size).toBe(3);
    expect(ascii).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe("a release", () => {
  const counters = metrics.versions;

  it("tells prompt, environment, revision, every arm's share, age, note and counters, and the last change", () => {
    const text = formatRelease(LOOK, release, counters, NOW_MS).join("\n");
    expect(text).toMatch(/support-bot.*production.*revision 7/);
    expect(text).toMatch(/v2 +baseline +95 % +3 d ago +12,304 +0\.1 % +friendlier/);
    expect(text).toMatch(/v3 +canary +5 % +3 m ago +648 +10\.03 % +shorter answers/);
    expect(text).toMatch(/canary by alice, 2 m ago: first look/);
  });

  it("never shows 0 % errors where nothing was counted", () => {
    const text = formatRelease(LOOK, release, [], NOW_MS).join("\n");
    expect(text).toMatch(/v3 .* 0 +· +shorter/);
    expect(text).not.toMatch(/\b0 %/);
  });

  it("shows what drains and what is revoked", () => {
    const until = "2026-03-02T11:00:00.000Z";
    const changed = { ...release, draining: [{ version: 1, until }], revoked: [4] };
    const text = formatRelease(LOOK, changed, null, NOW_MS).join("\n");
    expect(text).toMatch(/begun on v1 .* 23 h/);
    expect(text).toContain("revoked: v4");
  });

  it("does not take an hour off a drain that has just begun", () => {
    const until = new Date(NOW_MS + 24 * 3_600_000 - 2_000).toISOString();
    const text = formatRelease(LOOK, { ...release, draining: [{ version: 1, until }] }, null, NOW_MS).join(
      "\n",
    );
    expect(text).toMatch(/begun on v1 stay on it for another 1 d/);
  });

  it("keeps arms and counters whole on a narrow terminal: only the note gives way", () => {
    const long = {
      ...release,
      arms: release.arms.map((arm) => ({ ...arm, note: "a long story ".repeat(9) })),
    };
    const lines = formatRelease({ ...LOOK, width: 80 }, long, counters, NOW_MS);
    expect(lines.join("\n")).toMatch(/648 +10\.03 %/);
    for (const line of lines) expect(measure(line)).toBeLessThanOrEqual(80);
  });

  it("makes an error rate of 5 % and more red, and only that", () => {
    const text = formatRelease(COLOUR, release, counters, NOW_MS).join("\n");
    expect(text).toContain(paint(COLOUR, "red", "10.03 %"));
    expect(text).not.toContain(paint(COLOUR, "red", "0.1 %"));
  });

  it("in ASCII is ASCII, and colours change nothing but colours", () => {
    const ascii = formatRelease(ASCII, release, counters, NOW_MS).join("\n");
    expect(ascii).toMatch(/^[\x20-\x7e\n]+$/);
    const colour = formatRelease(COLOUR, release, counters, NOW_MS).join("\n");
    expect(colour).not.toBe(colour.replace(ESCAPES, ""));
    expect(colour.replace(ESCAPES, "")).toBe(formatRelease(LOOK, release, counters, NOW_MS).join("\n"));
  });
});

function show(look: Look, more: Partial<RampView> = {}): string[] {
  return formatRamp(look, { ...ramp, ...more }, NOW_MS);
}

describe("a ramp", () => {
  it("is drawn with its whole plan, the step it is at, what it waits for, and who began it", () => {
    expect(show(LOOK, { step: 1, weight: 25, says: "10 m at 25 %, 7 m 30 s to go" })).toEqual([
      "  ramp of v3  running, step 2 of 4",
      "    ✓ 5 % → ▶ 25 % → 50 % → 95 % for 24 h → 100 %",
      "    10 m at 25 %, 7 m 30 s to go",
      "    this step began 2 m ago, the next one not before 12:07:30Z; started by alice, 2 m ago",
    ]);
    expect(show(LOOK, { holdback: 0 })[1]).toBe("    ▶ 5 % → 25 % → 50 % → 100 %");
    const tomorrow = "2026-03-02T11:57:30.000Z";
    expect(show(LOOK, { notBefore: tomorrow })[3]).toContain("not before 2026-03-02 11:57:30Z;");
    expect(show(LOOK, { step: 3, state: "holdback" }).slice(0, 2)).toEqual([
      "  ramp of v3  held back, step 4 of 4",
      "    ✓ 5 % → ✓ 25 % → ✓ 50 % → ▶ 95 % for 24 h → 100 %",
    ]);
  });

  it("stands under its release, in status too", () => {
    const text = formatRelease(LOOK, ramping, null, NOW_MS).join("\n");
    expect(text).toMatch(/v3 +canary +5 %[^]*ramp of v3 {2}running[^]*last change: ramp by alice/);
  });

  it("says in a word that it is paused, frozen or needs somebody, and in a colour", () => {
    expect(show(LOOK, { state: "paused", notBefore: null }).join("\n")).toMatch(/paused, step 1 of 4/);
    expect(show(LOOK, { state: "paused", notBefore: null }).join("\n")).not.toContain("not before");
    expect(show(LOOK, { isFrozen: true })[0]).toContain("frozen, step 1 of 4");
    expect(show(LOOK, { asks: true })[0]).toContain("needs somebody");
    expect(show(COLOUR, { asks: true })[2]).toContain(paint(COLOUR, "red", ramp.says));
    expect(show(COLOUR, { isFrozen: true })[2]).toContain(paint(COLOUR, "yellow", ramp.says));
  });

  it("takes as many lines as it needs, and in ASCII is ASCII", () => {
    const steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 100];
    const lines = show({ ...LOOK, width: 60 }, { steps, step: 4 }).slice(1, -2);
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(measure(line)).toBeLessThanOrEqual(60);
    const ascii = show(ASCII, { step: 1, says: "now" }).join("\n");
    expect(ascii).toMatch(/^[\x20-\x7e\n]+$/);
    expect(show(COLOUR, { step: 1 }).join("\n").replace(ESCAPES, "")).toBe(
      show(LOOK, { step: 1 }).join("\n"),
    );
  });

  it("cannot be made to say something else by what others wrote", () => {
    const hostile = show(LOOK, { startedBy: "x\u001b[2J\ny", says: "a\rb" });
    expect(hostile).toHaveLength(4);
    expect(hostile.join("")).not.toMatch(/\p{Cc}/u);
  });
});

describe("a rollback", () => {
  const about = { prompt: "support-bot", environment: "production", waited: false, nowMs: NOW_MS };

  it("is one line: from, to, revision, and the promise with its duration and its clock", () => {
    expect(formatRollback(LOOK, about, rollback)).toBe(
      "support-bot production  rolled back 3 → 2  revision 8  enforced everywhere in 2.0 s (by 12:00:05.123Z)",
    );
  });

  it("that was waited for says so, and one from long ago does not speak of the future", () => {
    expect(formatRollback(LOOK, { ...about, waited: true }, rollback)).toContain("since 12:00:05.123Z");
    const later = formatRollback(LOOK, { ...about, nowMs: NOW_MS + 600_000 }, rollback);
    expect(later).toContain(`since ${rollback.enforcedBy}`);
    expect(later).not.toContain(" in 2.0 s");
  });

  it("never claims a promise as kept because our clock is a little ahead", () => {
    const skewed = { ...about, nowMs: Date.parse(rollback.enforcedBy) + 5_000 };
    expect(formatRollback(LOOK, skewed, rollback)).toContain("in 2.0 s (by ");
  });
});

describe("the log", () => {
  const canary = { version: 3, weight: 5 };

  it("tells a rollback from an edit: from what to what, by whom, why", () => {
    const row = revision({
      revision: 8,
      action: "rollback",
      actor: "guardrail",
      reason: "errors over 5 %",
      before: routing(7, 2, [canary]),
      after: routing(8, 2),
    });
    const text = formatHistory(LOOK, [row]).join("\n");
    expect(text).toMatch(/8 +2026-03-01 12:00:00Z +guardrail +rollback 3 → 2 +errors over 5 %/);
  });

  it.each([
    ["canary", routing(1, 2), routing(2, 2, [canary]), "canary v3 at 5 %"],
    ["canary", routing(1, 2, [canary]), routing(2, 2, [{ version: 3, weight: 25 }]), "canary v3 at 25 %"],
    ["promote", routing(1, 2, [canary]), routing(2, 3), "promote 2 → 3"],
    ["rollback", routing(1, 3), routing(2, 2), "rollback 3 → 2"],
    ["revoke", routing(1, 2), { ...routing(2, 2), revoked: [4] }, "revoke v4"],
    ["revoke", routing(1, 4), { ...routing(2, 2), revoked: [4] }, "revoke v4, baseline is v2"],
  ] satisfies [Revision["action"], Release, Release, string][])(
    "describes a %s by what it did (%#)",
    (action, before, after, expected) => {
      expect(describeChange(LOOK, revision({ revision: 2, action, before, after }))).toBe(expected);
    },
  );

  it.each([
    ["start", routing(1, 2), [canary], "ramp v3 from 5 %"],
    ["start", routing(1, 2, [canary]), [canary], "ramp v3 from 5 %"],
    ["step", routing(1, 2, [canary]), [{ version: 3, weight: 25 }], "ramp v3 5 % → 25 %"],
    ["holdback", routing(1, 2, [canary]), [{ version: 3, weight: 95 }], "ramp v3 5 % → 95 %"],
    ["pause", routing(1, 2, [canary]), [canary], "ramp v3 paused at 5 %"],
    ["resume", routing(1, 2, [canary]), [canary], "ramp v3 resumed at 5 %"],
    ["stop", routing(1, 2, [canary]), [canary], "ramp v3 stopped at 5 %"],
  ] satisfies [RampMark["event"], Release, Release["arms"], string][])(
    "describes the %s of a ramp by what it did (%#)",
    (event, before, arms, expected) => {
      const mark = { event, version: 3, step: 0, steps: [5, 25, 100] };
      const row = { revision: 2, action: "ramp", before, after: routing(2, 2, arms), ramp: mark } as const;
      expect(describeChange(LOOK, revision(row))).toBe(expected);
    },
  );

  it("says which change put an end to a ramp", () => {
    const mark: RampMark = { event: "end", version: 3, step: 0, steps: [5, 100] };
    const row = {
      revision: 2,
      action: "rollback",
      before: routing(1, 2, [canary]),
      after: routing(2, 2),
    } as const;
    expect(describeChange(LOOK, revision({ ...row, ramp: mark }))).toBe("rollback 3 → 2, ends the ramp");
  });

  it("describes the first release of an environment by what is in it", () => {
    const first = { revision: 1, before: null } as const;
    const pushed = revision({ ...first, action: "push", after: routing(1, 1) });
    expect(describeChange(LOOK, pushed)).toBe("push v1");
    const canaried = revision({ ...first, action: "canary", after: routing(1, 1, [canary]) });
    expect(describeChange(LOOK, canaried)).toBe("canary v3 at 5 %");
  });

  it("is cut to a screen, and never in a pipe or a file", () => {
    const reason = "because it promised refunds to everybody who asked for one, for ever";
    const row = revision({
      revision: 8,
      action: "promote",
      reason,
      before: routing(7, 2),
      after: routing(8, 3),
    });
    expect(formatHistory({ ...LOOK, width: 80 }, [row]).join("\n")).not.toContain("for ever");
    expect(formatHistory({ ...LOOK, width: 80, cut: false }, [row]).join("\n")).toContain(reason);
  });
});

describe("lists and contents", () => {
  it("show prompts, and say how to begin where there is none", () => {
    expect(formatPrompts(LOOK, [prompt], NOW_MS).join("\n")).toMatch(/support-bot +prompt +v3 +support/);
    expect(formatPrompts(LOOK, [], NOW_MS).join("\n")).toContain("switchback create");
  });

  it("show which versions are live and which are revoked, and why", () => {
    const text = formatVersions(LOOK, versions, release.arms, NOW_MS).join("\n");
    expect(text).toMatch(/v3 +canary 5 %/);
    expect(text).toMatch(/v2 +baseline 95 %/);
    expect(text).toMatch(/v1 +revoked .*leaks the system text/);
  });

  it("show a content as it will be said, line breaks kept", () => {
    const text = formatVersion(LOOK, version, NOW_MS).join("\n");
    expect(text).toContain("You help users of {{product}}.\nBe brief.");
    expect(text).toContain('"temperature": 0.2');
    expect(text).toContain("tone v4");
  });

  it("show a diff in full, and say so where there is none", () => {
    const unified = "--- v2\n+++ v3\n@@ -1 +1 @@\n-a\n+b\n";
    expect(formatDiff(LOOK, unified).join("\n")).toBe(unified.trimEnd());
    expect(formatDiff(COLOUR, unified)).toContain(paint(COLOUR, "green", "+b"));
    expect(formatDiff(LOOK, "").join("")).toContain("same");
  });

  it("explain an assignment in words, with what can be checked", () => {
    const text = formatExplanation(LOOK, SAMPLES.explain).join("\n");
    expect(text).toMatch(/"conversation-42" gets v3 \(canary\) of support-bot in production/);
    expect(text).toMatch(/split: .*bucket 9731 of 10000\), revision 7/);
  });
});

describe("a refusal", () => {
  it("says what, why, where and what mends it", () => {
    const text = formatProblem(
      COLOUR,
      { title: "Invalid request", code: "invalid_request", detail: "Too warm.", field: "params.temperature" },
      ["cool it"],
    ).join("\n");
    expect(text).toContain(paint(COLOUR, "red", "✗ Invalid request"));
    for (const part of ["invalid_request", "Too warm.", "params.temperature", "cool it"]) {
      expect(text).toContain(part);
    }
  });

  it("names every missing variable as the option that gives it", () => {
    const missing = { title: "T", code: "variable_missing", missing: ["product", "tier"] };
    expect(formatProblem(LOOK, missing, []).join("\n")).toContain("--var product=… --var tier=…");
  });
});

describe("foreign text", () => {
  it("can neither move the cursor nor colour nor break the line", () => {
    const hostile = "ok\u001b[2J\u001b]0;title\u0007\r\nfake line\u202e\u0000\u009b31m";
    expect(plain(hostile)).not.toMatch(/\p{Cc}|\u202e/u);
    expect(plain(hostile)).toMatch(/^ok.* fake line/);
    expect(plainBlock("a\n\tb\u001b[0m")).toBe("a\n\tb[0m");
    const noted = {
      ...release,
      reason: hostile,
      arms: release.arms.map((arm) => ({ ...arm, note: hostile })),
    };
    const lines = formatRelease(LOOK, noted, null, NOW_MS);
    expect(lines.join("\n")).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(lines).toHaveLength(formatRelease(LOOK, release, null, NOW_MS).length);
  });
});

describe("columns", () => {
  it("align whatever the text: wide characters, accents, colours", () => {
    const rows = [
      [{ text: "日本", style: "bold" as const }, "x"],
      ["e\u0301", "x"],
      ["🎉", "x"],
      ["plain", "x"],
    ];
    const columns = formatTable(LOOK, rows).map((line) => measure(line));
    expect(new Set(columns).size).toBe(1);
    const painted = formatTable(COLOUR, rows).map((line) => line.replace(ESCAPES, ""));
    expect(painted).toEqual(formatTable(LOOK, rows));
  });

  it("cut text to the columns there are, never more, and mark the cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 40 }), (raw, columns) => {
        const text = plain(raw);
        const cut = truncate(LOOK, text, columns);
        expect(measure(cut)).toBeLessThanOrEqual(columns);
        if (measure(text) > columns) expect(cut.endsWith("…")).toBe(true);
        else expect(cut).toBe(text);
      }),
    );
  });
});

describe("ages", () => {
  it.each([
    [0, "just now"],
    [-5_000, "just now"],
    [40_000, "40 s ago"],
    [3 * 60_000, "3 m ago"],
    [2 * 3_600_000, "2 h ago"],
    [5 * 86_400_000, "5 d ago"],
    [61 * 86_400_000, "2026-03-01"],
  ])("%d ms → %s", (ageMs, expected) => {
    expect(formatAge(NOW, NOW_MS + ageMs)).toBe(expected);
  });
});

describe("the look", () => {
  const screen = { isTTY: true, columns: 120 };

  it("has colours on a terminal only, and NO_COLOR and --no-color win", () => {
    expect(detectLook(screen, {}, false).colour).toBe(true);
    expect(detectLook({}, {}, false).colour).toBe(false);
    expect(detectLook(screen, { NO_COLOR: "1" }, false).colour).toBe(false);
    expect(detectLook(screen, { FORCE_COLOR: "1" }, true).colour).toBe(false);
    expect(detectLook(screen, { TERM: "dumb" }, false).colour).toBe(false);
  });

  it("uses Unicode where the locale speaks UTF-8", () => {
    expect(detectLook(screen, { LANG: "de_DE.UTF-8" }, false).unicode).toBe(true);
    expect(detectLook(screen, { LANG: "de_DE.UTF-8", LC_ALL: "C" }, false).unicode).toBe(false);
    expect(detectLook(screen, { LANG: "C.utf8", TERM: "dumb" }, false).unicode).toBe(false);
  });

  it("is as wide as the terminal, and 80 columns where there is none", () => {
    expect(detectLook(screen, {}, false).width).toBe(120);
    expect(detectLook({}, {}, false).width).toBe(80);
    expect(detectLook({ isTTY: true, columns: 0, rows: 0 }, {}, false)).toMatchObject({
      width: 80,
      height: Infinity,
    });
  });
});
