// A wire format from its parts: `inject` is `plan`, spliced.

import { isProblem } from "../core/problem.ts";
import { splice } from "./splice.ts";
import type { Pieces, StreamRule, WireFormat } from "./wire.ts";

type Parts<Spans, Prepared extends Pieces> = Omit<WireFormat<Spans, Prepared>, "inject" | "stream"> & {
  stream?: StreamRule<Spans, Prepared>;
};

export function defineFormat<Spans, Prepared extends Pieces>(
  parts: Parts<Spans, Prepared>,
): WireFormat<Spans, Prepared> {
  return {
    ...parts,
    stream: parts.stream ?? null,
    inject(scan, prepared) {
      const patches = parts.plan(scan, prepared);
      return isProblem(patches) ? patches : splice(scan.body, patches);
    },
  };
}
