// The control plane's `Sql` on an in-process SQLite, with a process that can die between any two steps: statements,
// the begin and the end of a transaction. What a real crash leaves is what SQLite's rollback leaves. The alarm is part of the
// transaction, as it is in a Durable Object.

import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Row, Sql, SqlValue } from "../../../src/control/sql.ts";

export class Crash extends Error {}

export type TestSql = Sql & {
  alarmMs: number | null;
  /** A dead process does nothing more; set to false to start the next one. */
  isDead: boolean;
  /** Dies once that many more steps are done; null: never. */
  crashAfter(steps: number | null): void;
};

export function createTestSql(): TestSql {
  const database = new DatabaseSync(":memory:");
  const statements = new Map<string, StatementSync>();
  let left: number | null = null;

  function step(): void {
    if (sql.isDead) throw new Crash("the process is dead");
    if (left === null) return;
    if (left === 0) {
      left = null;
      throw new Crash("the process died");
    }
    left -= 1;
  }

  function prepare(statement: string): StatementSync {
    let prepared = statements.get(statement);
    if (prepared === undefined) {
      prepared = database.prepare(statement);
      statements.set(statement, prepared);
    }
    return prepared;
  }

  const sql: TestSql = {
    alarmMs: null,
    isDead: false,
    crashAfter(steps) {
      left = steps;
    },
    exec(statement: string, ...parameters: SqlValue[]): Row[] {
      step();
      return prepare(statement).all(...parameters) as Row[];
    },
    transaction<Result>(run: () => Result): Result {
      step();
      if (database.isTransaction) throw new Error("a transaction within a transaction");
      const alarmBefore = sql.alarmMs;
      database.exec("BEGIN");
      let result: Result;
      try {
        result = run();
        step();
      } catch (error) {
        database.exec("ROLLBACK");
        sql.alarmMs = alarmBefore;
        throw error;
      }
      database.exec("COMMIT");
      // The commit stands, but nobody hears of it.
      step();
      return result;
    },
    wakeBy(atMs: number): void {
      if (sql.isDead) throw new Crash("the process is dead");
      if (sql.alarmMs === null || sql.alarmMs > atMs) sql.alarmMs = atMs;
    },
  };
  return sql;
}

/** Tables that exist, in no order. */
export function listTables(sql: Sql): string[] {
  return sql.exec(`SELECT name FROM sqlite_master WHERE type = 'table'`).map((row) => String(row["name"]));
}
