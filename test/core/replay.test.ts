// The audit log rebuilds the present, and shows when it was tampered with.

import { describe, expect, it } from "vitest";
import { checkHistory, replayRevisions } from "../../src/core/replay.ts";
import type { Release, Revision } from "../../src/core/types.ts";
import { command, lifeWith, type Life } from "./decide-support.ts";

function eventful(): Life {
  const life = lifeWith(3);
  life.do(command.canary(2, 5), command.canary(3, 10, { environment: "staging" }), command.promote(2));
  life.do(command.rollback(), command.revoke(3));
  return life;
}

/** The last row with parts of its release rewritten. */
function withAfter(rows: Revision[], parts: Partial<Release>): Revision[] {
  const last = rows.at(-1)!;
  return [...rows.slice(0, -1), { ...last, after: { ...last.after, ...parts } }];
}

function withoutUnit({ unit: _unit, ...rest }: Release): Release {
  return rest as Release;
}

describe("a history", () => {
  it("rebuilds the present releases, in whatever order the rows come", () => {
    const life = eventful();
    const present = { production: life.release(), staging: life.release("staging") };
    expect(replayRevisions(life.history)).toEqual(present);
    expect(replayRevisions(life.history.toReversed())).toEqual(present);
    expect(replayRevisions([])).toEqual({});
  });

  it("is sound as it was written, also after a trip through storage that reorders keys", () => {
    const { history } = eventful();
    expect(checkHistory(history)).toEqual([]);
    const reordered = structuredClone(history).map(
      (row) =>
        ({
          ...row,
          before: row.before && Object.fromEntries(Object.entries(row.before).toReversed()),
        }) as Revision,
    );
    expect(checkHistory(reordered.toReversed())).toEqual([]);
  });

  it.each<[string, (rows: Revision[]) => Revision[], string]>([
    ["a row is missing", (rows) => rows.toSpliced(1, 1), "expected revision 2"],
    ["a row is doubled", (rows) => [...rows, rows[1]!], "expected revision 3"],
    [
      "a row was rewritten",
      (rows) => rows.with(1, { ...rows[1]!, after: { ...rows[1]!.after, baseline: 2 } }),
      "does not start from",
    ],
    [
      "a row forgets a part of the past",
      (rows) => rows.with(1, { ...rows[1]!, before: withoutUnit(rows[1]!.before!) }),
      "does not start from",
    ],
    [
      "the first row has a past",
      (rows) => rows.with(0, { ...rows[0]!, before: rows[0]!.after }),
      "does not start from",
    ],
    [
      "a row holds another's release",
      (rows) => rows.with(0, { ...rows[0]!, prompt: "other" }),
      "the release of another row",
    ],
    [
      "slots are no partition",
      (rows) => withAfter(rows, { table: { revision: 1, salt: "", slots: [] } }),
      "the slots end at 0",
    ],
    [
      "a revoked version is routed",
      (rows) => withAfter(rows, { revoked: [1] }),
      "routes the revoked version 1",
    ],
  ])("shows that %s", (_name, tamper, fault) => {
    const production = eventful().history.filter((row) => row.environment === "production");
    expect(checkHistory(tamper(production)).join("\n")).toContain(fault);
  });
});
