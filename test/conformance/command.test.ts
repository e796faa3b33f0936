// What surrounds the cases: the command line, and the table.

import { describe, expect, test } from "vitest";
import { readOptions } from "../../conformance/options.ts";
import { placeTable, writeTable } from "../../conformance/report.ts";

describe("the command line", () => {
  test("names the option that is wrong, and how to mend it", () => {
    const wrong: [string[], RegExp][] = [
      [[], /--target is missing/],
      [["--target", "nope"], /neither an http\(s\) URL nor one of/],
      [["--target", "bare", "--upstream-port", "x"], /--upstream-port/],
      [["--target", "http://x", "--header", "no colon"], /write 'name: value'/],
      [["--target", "http://x", "--skip", "nothing=why"], /no case "nothing"/],
      [["--targets", "x"], /--targets/],
    ];
    for (const [argv, message] of wrong) {
      const options = readOptions(argv);
      expect("misuse" in options && options.misuse).toMatch(message);
    }
  });

  test("reads a gateway with its bases, headers and skips", () => {
    const options = readOptions(
      "--target http://gw.test/ai --anthropic-base /anthropic --injecting-mount /p/x --upstream-port 9100".split(
        " ",
      ),
    );
    expect(options).toMatchObject({
      upstreamPort: 9_100,
      targets: [
        { bases: { openai: "/ai", anthropic: "/ai/anthropic", gemini: null }, injectingMount: "/p/x" },
      ],
    });
  });
});

describe("the table", () => {
  const results = [
    { name: "crlf", route: "chat", result: "pass" as const, seen: "as sent" },
    { name: "crlf", route: "messages", result: "fail" as const, seen: "a | b <c>" },
    { name: "path", route: "chat", result: "skipped" as const, seen: "no route" },
  ];

  test("says pass only where every route passes, and what was seen where one fails", () => {
    const table = writeTable([{ gateway: "x", results }]);
    expect(table).toContain("**fails** on messages: a \\| b &lt;c&gt;");
    expect(table).toContain("skipped: no route");
    expect(table).toContain("| **streaming** |  | 0 of 1 |");
  });

  test("goes between its marks and nowhere else", () => {
    const page = "a\n<!-- table: begin -->\nold\n<!-- table: end -->\nb\n";
    expect(placeTable(page, "new\n")).toBe("a\n<!-- table: begin -->\n\nnew\n\n<!-- table: end -->\nb\n");
    expect(placeTable("no marks", "new")).toBeNull();
  });
});
