// Reads contents for the tests of content: one that must be taken, and one that must be refused with a whole problem.

import { expect } from "vitest";
import { parseContent } from "../../src/core/content.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import type { Content } from "../../src/core/types.ts";

export function read(input: unknown): Content {
  const content = parseContent(input);
  if (isProblem(content)) throw new Error(`${content.message} ${JSON.stringify(content.errors)}`);
  return content;
}

export function refusal(input: unknown): Problem {
  const content = parseContent(input);
  if (!isProblem(content)) throw new Error(`accepted: ${JSON.stringify(content)}`);
  expect(content.problem).toBe("invalid_request");
  expect(content.field).toBe(content.errors?.[0]?.field);
  expect(content.message).toContain(content.errors?.[0]?.message);
  return content;
}
