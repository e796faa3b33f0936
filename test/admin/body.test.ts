// Reading what callers send: limits, JSON, and refusals that name every wrong field.

import * as z from "zod";
import { describe, expect, it } from "vitest";
import { BODY_LIMIT_BYTES, check, parseJsonObject, readBytes, readQuery } from "../../src/admin/body.ts";
import { OPERATIONS } from "../../src/admin/operations.ts";
import { isProblem } from "../../src/core/problem.ts";

const parse = (text: string) => parseJsonObject(new TextEncoder().encode(text));

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  const init = { method: "POST", body, headers, duplex: "half" };
  return new Request("http://admin.test/", init);
}

describe("a body", () => {
  it("is read whole up to the limit and not one byte further", async () => {
    const most = await readBytes(post("x".repeat(BODY_LIMIT_BYTES)));
    expect(most).toHaveLength(BODY_LIMIT_BYTES);
    const more = await readBytes(post("x".repeat(BODY_LIMIT_BYTES + 1)));
    expect(more).toMatchObject({ problem: "body_too_large" });
  });

  it("without an end is read on for a while, so that its sender reads the answer, and then no more", async () => {
    let pulls = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulls += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    expect(await readBytes(post(endless))).toMatchObject({ problem: "body_too_large" });
    const limitPulls = BODY_LIMIT_BYTES / (64 * 1024);
    expect(pulls).toBeGreaterThan(2 * limitPulls);
    expect(pulls).toBeLessThan(20 * limitPulls);
  });

  it("that is not sent counts as an empty object", () => {
    expect(parse("")).toEqual({ sent: {} });
    expect(parse(" \n")).toEqual({ sent: {} });
  });

  it.each([
    ["[]", "this is an array"],
    ["null", "this is null"],
    ["7", "this is a number"],
    ['"x"', "this is a string"],
    ['{"a":1,}', "line 1, column 8"],
  ])("%s is refused, saying what is wrong", (text, detail) => {
    expect(parse(text)).toMatchObject({
      problem: "invalid_request",
      message: expect.stringContaining(detail),
    });
  });

  it("in another encoding is refused", () => {
    const latin = new Uint8Array([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d]);
    expect(parseJsonObject(latin)).toMatchObject({ message: "The body is not UTF-8." });
  });

  it("with fields like a problem's is a body, not a problem", () => {
    const parsed = parse('{"problem":"conflict","message":"x"}');
    expect(isProblem(parsed)).toBe(false);
    const checked = check(OPERATIONS.pushVersion.body, { problem: "conflict", message: "x" });
    expect(isProblem(checked)).toBe(false);
  });
});

describe("a query", () => {
  it("is refused when it says a thing twice", () => {
    const url = new URL("http://admin.test/?environment=a&environment=b");
    expect(readQuery(url)).toMatchObject({ problem: "invalid_request", field: "environment" });
  });

  it("may name what objects inherit", () => {
    expect(readQuery(new URL("http://admin.test/?toString=a"))).toEqual({ sent: { toString: "a" } });
  });
});

describe("a check", () => {
  it("names every wrong field by its path", () => {
    const refused = check(OPERATIONS.canary.body, { weight: "5", reason: 7, enviroment: "staging" });
    expect(refused).toMatchObject({
      problem: "invalid_request",
      errors: [
        { field: "version", message: "is missing" },
        { field: "weight", message: "must be a number, not string" },
        { field: "reason", message: "must be a string, not number" },
        { field: "enviroment", message: "is not known here" },
      ],
    });
  });

  it("writes paths as one would in JavaScript", () => {
    const schema = z.strictObject({ tags: z.array(z.strictObject({ name: z.string() })) });
    const refused = check(schema, { tags: [{ name: "a" }, { name: 1, nme: 2 }] });
    expect(refused).toMatchObject({
      errors: [{ field: "tags[1].name" }, { field: "tags[1].nme" }],
    });
  });

  it("fills in what may be left out", () => {
    expect(check(OPERATIONS.rollback.body, {})).toEqual({
      sent: { environment: "production", reason: "", mode: "now", wait: false },
    });
  });
});
