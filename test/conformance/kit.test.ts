// The conformance kit can fail: a gateway with one defect fails the cases that are about it, and one without any fails
// none. Without this a green table would say nothing.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOptions } from "../../conformance/options.ts";
import { placeTable, writeTable } from "../../conformance/report.ts";
import { openBench, runCases, type Bench } from "../../conformance/runner.ts";
import type { Target } from "../../conformance/target.ts";
import { startBrokenGateway, type Defect } from "./broken-gateway.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await openBench("127.0.0.1", 0);
});

afterAll(() => bench.stop());

/** Cases that fail, of those named, on a gateway with this defect. */
async function failing(defect: Defect, cases: string[]): Promise<string[]> {
  const gateway = await startBrokenGateway(bench.upstream.port, defect);
  const target: Target = {
    name: defect,
    url: gateway.url,
    bases: { openai: "", anthropic: null, gemini: null },
    injectingMount: null,
    headers: [],
    familyHeaders: { openai: [], anthropic: [], gemini: [] },
    ownHeaders: [["X-Gateway", "mine"]],
    skips: new Map(),
  };
  try {
    const failed = new Set<string>();
    for (const name of cases) {
      const pace = { deadlineMs: 700, slowMs: 100 };
      const results = await runCases(target, bench, { pace, only: name });
      expect(results.length, name).toBeGreaterThan(0);
      if (results.some(({ result }) => result === "fail")) failed.add(name);
    }
    return [...failed];
  } finally {
    await gateway.stop();
  }
}

const FOUND: { [defect in Exclude<Defect, "none">]: string[] } = {
  buffers: ["first-event", "crlf"],
  "ends cleanly": ["provider-resets"],
  "lets go of nobody": ["abort-mid-stream", "abort-before-headers"],
  "rewrites bodies": ["big-integers", "decimals", "duplicate-keys", "whitespace", "escapes"],
  "rewrites answers": ["answer"],
  "drops unknown headers": ["beta-header", "sdk-headers"],
  "drops hints": ["retry-hints", "request-ids", "rate-limits"],
  "sends cookies up": ["cookies-up"],
  "sends cookies down": ["cookies-down"],
  "sends its own headers up": ["own-headers"],
  retries: ["no-retry-429", "no-retry-500", "no-retry-503"],
  "wraps errors": ["error-400", "error-404", "error-429", "html-error"],
  "decodes paths": ["path"],
  "follows redirects": ["redirect"],
  "invents DONE": ["no-done"],
  "takes no WebSockets": ["ws-upgrade", "ws-messages"],
};

describe("a gateway that", () => {
  test.each(Object.entries(FOUND))("%s fails the cases about it", async (defect, cases) => {
    expect(await failing(defect as Defect, cases)).toEqual(cases);
  });

  test("is right fails none of them", async () => {
    expect(await failing("none", [...new Set(Object.values(FOUND).flat())])).toEqual([]);
  });
});

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
    expect(table).toContain("**fails**: messages: a \\| b &lt;c&gt;");
    expect(table).toContain("skipped: no route");
    expect(table).toContain("| **streaming** |  | 0 of 1 |");
  });

  test("goes between its marks and nowhere else", () => {
    const page = "a\n<!-- table: begin -->\nold\n<!-- table: end -->\nb\n";
    expect(placeTable(page, "new\n")).toBe("a\n<!-- table: begin -->\n\nnew\n\n<!-- table: end -->\nb\n");
    expect(placeTable("no marks", "new")).toBeNull();
  });
});
