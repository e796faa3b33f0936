// The little that the control plane asks of a database. The same code runs on a Durable Object's SQLite (see
// durable-sql.ts) and on an in-process SQLite in tests, where a crash can be injected at any statement.

export type SqlValue = string | number | null;
export type Row = { [column: string]: SqlValue };

export type Sql = {
  /** Runs one statement and returns its rows. */
  exec(statement: string, ...parameters: SqlValue[]): Row[];
  /** All of it or, when `run` throws, nothing of it, the wake-up included. Never nested. */
  transaction<Result>(run: () => Result): Result;
  /** Asks for an alarm at `atMs` (epoch ms) at the latest, as part of the transaction that it is called in. */
  wakeBy(atMs: number): void;
};

/** A column that the schema declares TEXT NOT NULL. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column ${column} is no text`);
  return value;
}

/** A column that the schema declares INTEGER NOT NULL. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new Error(`column ${column} is no number`);
  return value;
}
