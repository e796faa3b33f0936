// Injects into a body given as text, for tests that look at one case.

import { isProblem, type Problem } from "../../src/core/problem.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import type { FormatId, Resource, Scan } from "../../src/wire/wire.ts";
import { renderedWith } from "./versions.ts";

type Options = { provider?: string; count?: boolean; resource?: Resource | null };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function scanText(format: FormatId, text: string, resource: Resource | null = null): Scan {
  const scan = FORMATS[format].scan(encoder.encode(text), resource);
  if (isProblem(scan)) throw new Error(scan.message);
  return scan;
}

export function scanProblem(format: FormatId, text: string): Problem {
  const scan = FORMATS[format].scan(encoder.encode(text));
  if (!isProblem(scan)) throw new Error(`accepted: ${text}`);
  return scan;
}

/** The body as it would go upstream, or why it does not. */
export function tryInject(
  format: FormatId,
  text: string,
  version: Partial<Rendered>,
  { provider = "openai", count = false, resource = null }: Options = {},
): string | Problem {
  const options = { provider, count, modelInPath: resource !== null };
  const prepared = FORMATS[format].prepare(renderedWith(version), options);
  const out = FORMATS[format].inject(scanText(format, text, resource), prepared);
  return isProblem(out) ? out : decoder.decode(out);
}

export function inject(
  format: FormatId,
  text: string,
  version: Partial<Rendered>,
  options?: Options,
): string {
  const out = tryInject(format, text, version, options);
  if (isProblem(out)) throw new Error(out.message);
  return out;
}
