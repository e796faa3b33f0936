// What people type becomes what they meant, or one sentence that names the word that is wrong.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/cli/catalogue.ts";
import { usageOf, type Value } from "../../src/cli/command.ts";
import { countEdits, findNearest } from "../../src/cli/nearest.ts";
import {
  GLOBAL_OPTIONS,
  parseCommandLine,
  readDuration,
  readVersion,
  readWeight,
} from "../../src/cli/parse.ts";

function parse(line: string) {
  return parseCommandLine(CATALOGUE, line.split(" ").filter(Boolean));
}

function valuesOf(line: string): Record<string, Value> {
  const parsed = parse(line);
  if ("misuse" in parsed) throw new Error(parsed.misuse);
  return { command: parsed.spec.name, ...parsed.values };
}

function misuseOf(line: string): string {
  const parsed = parse(line);
  return "misuse" in parsed ? parsed.misuse : "";
}

describe("the words of a command line", () => {
  it("are typed values by the time a command sees them", () => {
    expect(valuesOf("canary support-bot v3 0.25% -e staging -m why --if-match 7")).toEqual({
      command: "canary",
      PROMPT: "support-bot",
      VERSION: 3,
      WEIGHT: 0.25,
      environment: "staging",
      reason: "why",
      "if-match": 7,
    });
  });

  it("may come in any order, global options before the command too", () => {
    const plain = valuesOf("rollback support-bot --to 4 --json -e staging");
    expect(valuesOf("--json -e staging rollback --to 4 support-bot")).toEqual(plain);
    expect(valuesOf("--environment=staging rollback --to=v4 support-bot --json")).toEqual(plain);
  });

  it("give the first word of push to FILE when there is only one", () => {
    expect(valuesOf("push prompt.json")).toEqual({ command: "push", FILE: "prompt.json" });
    expect(valuesOf("push support-bot -")).toEqual({ command: "push", PROMPT: "support-bot", FILE: "-" });
  });

  it("collect an option that may be repeated and keep the last of one that may not", () => {
    expect(valuesOf("render bot --var a=1 --var b=2")["var"]).toEqual(["a=1", "b=2"]);
    expect(valuesOf("rollback bot --to 1 --to 2")["to"]).toBe(2);
  });

  it("reach commands of two words", () => {
    expect(valuesOf("tokens create ci --role releaser")).toMatchObject({
      command: "tokens create",
      NAME: "ci",
    });
    expect(valuesOf("--json tokens revoke tok_1")).toMatchObject({ command: "tokens revoke", ID: "tok_1" });
  });
});

describe("ramp", () => {
  it("may leave out its second word, and only that: a misspelt one starts nothing", () => {
    const plain = valuesOf("ramp start support-bot 3 --bake 1h30m --holdback 2.5%");
    expect(plain).toMatchObject({ command: "ramp start", VERSION: 3, bake: 5_400_000, holdback: 2.5 });
    expect(valuesOf("ramp support-bot v3 --bake 1h30m --holdback 2.5")).toEqual(plain);
    expect(valuesOf("ramp -e staging support-bot 3")).toMatchObject({ environment: "staging", VERSION: 3 });
    expect(valuesOf("ramp start pause 3")).toMatchObject({ PROMPT: "pause" });
    expect(misuseOf("ramp puase support-bot")).toContain('"ramp pause"');
    expect(misuseOf("ramp puase")).toContain('"ramp pause"');
    expect(misuseOf("ramp support-bot prod")).not.toBe("");
    expect(valuesOf("ramp support-bot -e staging")).toEqual(valuesOf("ramp show support-bot -e staging"));
    expect(misuseOf("ramp show")).toContain("PROMPT is missing");
    expect(misuseOf("ramp")).toContain("start, pause, resume, stop, show");
    expect(misuseOf("tokens x 3")).toContain('no command "tokens x"');
  });

  it("takes durations with a unit, several at once, and nothing else", () => {
    expect(["500ms", "90s", "10m", "24h", "2d", "1h30m", "0"].map(readDuration)).toEqual([
      500, 90_000, 600_000, 86_400_000, 172_800_000, 5_400_000, 0,
    ]);
    for (const text of ["", "10", "10 m", "m", "-5m", "1.5h", "10min", "1h 30m", "1h30"]) {
      expect(readDuration(text), text).toHaveProperty("wrong");
    }
  });
});

describe("a wrong word", () => {
  it.each([
    ["rollback", "PROMPT"],
    ["canary bot 3", "WEIGHT"],
    ["canary bot 3 101%", "WEIGHT"],
    ["canary bot 3 0.001%", "WEIGHT"],
    ["canary bot three 5%", "VERSION"],
    ["canary bot 0 5%", "VERSION"],
    ["canary bot 3 5% --transition soon", "--transition"],
    ["promote ../bot", "PROMPT"],
    ["rollback bot --to", "--to"],
    ["rollback bot --to --json", "--to"],
    ["rollback bot --mode later", "--mode"],
    ["rollback bot --wait=yes", "--wait"],
    ["rollback bot extra", '"extra"'],
    ["status bot -e Prod!", "--environment"],
    ["watch bot --interval 0", "--interval"],
    ["canary bot 3 5% --if-match seven", "--if-match"],
    ["tokens", "list, create, revoke"],
  ])("%s → the message names %s", (line, named) => {
    expect(misuseOf(line)).toContain(named);
  });

  it("in a command or an option is answered with the nearest right one", () => {
    expect(misuseOf("rollbak bot")).toContain('"rollback"');
    expect(misuseOf("stauts")).toContain('"status"');
    expect(misuseOf("tokens lsit")).toContain('"tokens list"');
    expect(misuseOf("canary bot 3 5% --enviroment x")).toContain("--environment");
    expect(misuseOf("xyzzy")).toContain("switchback help");
  });

  it("never becomes another command's doing: only exact names run", () => {
    for (const spec of CATALOGUE) {
      const misspelt = `${spec.name}x`;
      expect(parse(misspelt), misspelt).toHaveProperty("misuse");
    }
  });
});

describe("an option that lost its value", () => {
  it("never swallows the next option, but takes a text that merely begins with a dash", () => {
    expect(misuseOf("rollback bot -m --wait")).toContain("--reason needs a value");
    expect(misuseOf("rollback bot --reason -y")).toContain("--reason needs a value");
    expect(valuesOf("rollback bot -m -5% --wait")).toMatchObject({ reason: "-5%", wait: true });
    expect(valuesOf("rollback bot --reason=--wait")["reason"]).toBe("--wait");
  });
});

describe("weights and versions", () => {
  it("take every step of 0.01 and nothing between or beyond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.boolean(), (buckets, sign) => {
        const text = `${(buckets / 100).toFixed(2)}${sign ? "%" : ""}`;
        expect(readWeight(text)).toBe(buckets / 100);
      }),
    );
    for (const text of ["", "%", "-1", "100.01", "1e1", "0x5", "5%%", "5 %", ".5", "NaN"]) {
      expect(readWeight(text), text).toHaveProperty("wrong");
    }
  });

  it("read 3 and v3 alike", () => {
    expect(readVersion("3")).toBe(3);
    expect(readVersion("v3")).toBe(3);
    for (const text of ["", "v", "0", "-1", "1.5", "vv3", "latest"]) {
      expect(readVersion(text), text).toHaveProperty("wrong");
    }
  });
});

describe("the nearest word", () => {
  it("is itself at distance 0, and distances are symmetric", () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (one, other) => {
        expect(countEdits(one, one)).toBe(0);
        expect(countEdits(one, other)).toBe(countEdits(other, one));
      }),
    );
  });

  it("counts a swap of neighbours as one edit and gives up on strangers", () => {
    expect(countEdits("stauts", "status")).toBe(1);
    expect(findNearest("frobnicate", ["status", "log"])).toBeNull();
  });
});

describe("the catalogue", () => {
  it("gives every command a summary, a usage line and an example that parses", () => {
    for (const spec of CATALOGUE) {
      expect(usageOf(spec).startsWith(spec.name)).toBe(true);
      expect(spec.summary.length).toBeGreaterThan(5);
      for (const example of spec.examples) {
        const line = example
          .replace(/\s+#.*$/, "")
          .replace(/.*\| (?=switchback)/, "")
          .replace(/ \|.*$/, "")
          .replace(/"[^"]*"/g, "text");
        const parsed = parse(line.replace(/^switchback /, ""));
        expect("misuse" in parsed ? `${example}: ${parsed.misuse}` : parsed.spec.name).toBe(spec.name);
      }
    }
  });

  it("never gives a command an option that every command has, nor one letter to two options", () => {
    const names = GLOBAL_OPTIONS.map((option) => option.name);
    for (const spec of CATALOGUE) {
      expect(spec.options.filter((option) => names.includes(option.name))).toEqual([]);
    }
    const letters = GLOBAL_OPTIONS.flatMap((option) => option.short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  });
});
