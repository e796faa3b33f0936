// A wire format from its parts: `inject` is `plan`, spliced.

import { isProblem } from "../core/problem.ts";
import { splice } from "./splice.ts";
import type { Pieces, WireFormat } from "./wire.ts";

export function defineFormat<Spans, Prepared extends Pieces>(
  parts: Omit<WireFormat<Spans, Prepared>, "inject">,
): WireFormat<Spans, Prepared> {
  return {
    ...parts,
    inject(scan, prepared) {
      const patches = parts.plan(scan, prepared);
      return isProblem(patches) ? patches : splice(scan.body, patches);
    },
  };
}
