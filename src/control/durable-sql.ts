// A Durable Object's own SQLite as `Sql`. An object has one alarm, so the earliest wish wins: setting it anew on
// every write would push it ahead of a busy object for ever. `setAlarm` takes part in the transaction.

import type { Row, Sql, SqlValue } from "./sql.ts";

export type DurableSql = Sql & {
  /** Reads the alarm that is set; to be called once before anything else. */
  restore(): Promise<void>;
  /** The alarm has gone off: none is set now. */
  alarmFired(): void;
};

export function createDurableSql(storage: DurableObjectStorage): DurableSql {
  let alarmAtMs: number | null = null;
  return {
    exec(statement: string, ...parameters: SqlValue[]): Row[] {
      return storage.sql.exec<Row>(statement, ...parameters).toArray();
    },
    transaction<Result>(run: () => Result): Result {
      const before = alarmAtMs;
      try {
        return storage.transactionSync(run);
      } catch (error) {
        alarmAtMs = before;
        throw error;
      }
    },
    wakeBy(atMs: number): void {
      if (alarmAtMs !== null && alarmAtMs <= atMs) return;
      alarmAtMs = atMs;
      // A failed write of it resets the object, like any failed write: there is nothing to await.
      void storage.setAlarm(atMs);
    },
    async restore(): Promise<void> {
      alarmAtMs = await storage.getAlarm();
    },
    alarmFired(): void {
      alarmAtMs = null;
    },
  };
}
