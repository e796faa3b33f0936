// The conformance kit can fail: a gateway with one defect fails the cases that are about it and no others, one without
// any fails none, and there is no case that nothing can fail. Without this a green table would say nothing.

import { describe, expect, test } from "vitest";
import { CASES } from "../../conformance/cases/index.ts";
import { EVERY_SHAPE } from "../../conformance/kit.ts";
import { openBench, runCases, type Result } from "../../conformance/runner.ts";
import type { ShapeName } from "../../conformance/shapes.ts";
import type { Target } from "../../conformance/target.ts";
import { DEFECTS } from "./defects.ts";
import { RIGHT, startGateway, type Parts } from "./gateway.ts";

const PACE = { deadlineMs: 1_500, slowMs: 100, stallMs: 500 };
/** It fills every buffer on the way, so that it is run only where it is at stake. */
const SLOW = "backpressure";

type Run = { shapes: readonly ShapeName[]; skips: string[] };

async function run(parts: Partial<Parts>, { shapes, skips }: Run): Promise<Result[]> {
  const bench = await openBench("127.0.0.1", 0);
  const gateway = await startGateway(bench.upstream.port, { ...RIGHT, ...parts });
  const target: Target = {
    name: "a small gateway",
    url: gateway.url,
    bases: { openai: "", anthropic: "", gemini: "" },
    injectingMount: null,
    headers: [],
    familyHeaders: { openai: [], anthropic: [], gemini: [] },
    ownHeaders: [["X-Gateway", "mine"]],
    skips: new Map(skips.map((name) => [name, "not at stake"])),
  };
  try {
    return await runCases(target, bench, { pace: PACE, shapes });
  } finally {
    await gateway.stop();
    await bench.stop();
  }
}

function failed(results: Result[]): string[] {
  return [...new Set(results.filter(({ result }) => result === "fail").map(({ name }) => name))];
}

test("a gateway that is right fails no case, on any shape", async () => {
  const results = await run({}, { shapes: EVERY_SHAPE, skips: [] });
  expect(results.filter(({ result }) => result !== "pass")).toEqual([]);
});

// Side by side, as most of a failing case's time is spent waiting.
describe.concurrent("a gateway that", () => {
  test.each(DEFECTS)("$name fails the cases about it, and no others", async ({ parts, found }) => {
    const results = await run(parts, { shapes: ["chat"], skips: found.includes(SLOW) ? [] : [SLOW] });
    expect(failed(results).toSorted()).toEqual(found.toSorted());
  });
});

test("no case is without a gateway that fails it", () => {
  const found = new Set(DEFECTS.flatMap((defect) => defect.found));
  expect(CASES.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([]);
});
