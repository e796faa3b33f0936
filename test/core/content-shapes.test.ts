import { describe, expect, it } from "vitest";
import * as z from "zod";
import {
  aliasSchema,
  contentSchema,
  environmentSchema,
  parsePutPrompt,
  promptNameSchema,
  versionNumberSchema,
  weightSchema,
} from "../../src/core/content.ts";

describe("the shared shapes", () => {
  it("can be published as JSON Schema", () => {
    const published = z.toJSONSchema(contentSchema, { io: "input" });
    expect(Object.keys(published.properties ?? {})).toContain("provider_params");
  });

  it.each(["support-bot", "a", "0_x", "x".repeat(63)])("take %s as a name", (name) => {
    expect(promptNameSchema.safeParse(name).success && environmentSchema.safeParse(name).success).toBe(true);
  });

  it.each(["", "A", "-a", "a b", "a/b", "a.b", "x".repeat(64), "é", 1])("refuse %j as a name", (name) => {
    expect(promptNameSchema.safeParse(name).success || environmentSchema.safeParse(name).success).toBe(false);
  });

  it("take weights in steps of 0.01 only, and version numbers from 1", () => {
    for (let step = 0; step <= 10_000; step += 1)
      expect(weightSchema.safeParse(step / 100).success).toBe(true);
    for (const weight of [-0.01, 100.01, 0.001, 33.333, Number.NaN, "5"])
      expect(weightSchema.safeParse(weight).success).toBe(false);
    for (const number of [0, -1, 1.5, "1", 1e12])
      expect(versionNumberSchema.safeParse(number).success).toBe(false);
    expect(versionNumberSchema.safeParse(1).success).toBe(true);
  });

  it("take other systems' ids as aliases, and nothing that a URL would misread", () => {
    expect(aliasSchema.safeParse("pmpt_68A.b-c").success).toBe(true);
    for (const alias of ["", "a/b", "a@b", "../x", "a b", "é"])
      expect(aliasSchema.safeParse(alias).success).toBe(false);
  });

  it("read a prompt's settings and name what is wrong with them", () => {
    const settings = {
      description: "d",
      owner: "o",
      tags: ["t"],
      aliases: ["pmpt_1"],
      unit: "user",
      kind: "partial",
    };
    expect(parsePutPrompt(settings)).toEqual(settings);
    expect(parsePutPrompt({})).toEqual({});
    expect(parsePutPrompt({ unit: "session", aliases: ["a/b"] })).toMatchObject({
      problem: "invalid_request",
      errors: [{ field: "aliases[0]" }, { field: "unit" }],
    });
    expect(parsePutPrompt({ colour: 1 })).toMatchObject({ field: "colour" });
    expect(parsePutPrompt(null)).toMatchObject({ problem: "invalid_request" });
  });
});
