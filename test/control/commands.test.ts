// What a command answers, and what a refused one leaves behind: nothing.

import { beforeEach, describe, expect, test } from "vitest";
import { executeCommand, type PreparedPush } from "../../src/control/commands.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import type { Accepted, Command, Envelope } from "../../src/core/ports.ts";
import type { Problem } from "../../src/core/problem.ts";
import {
  createEnvelope,
  createPush,
  expectAccepted,
  LEASE,
  OPTIONS,
  PROMPT,
  START_MS,
} from "./support/commands.ts";
import { createTestSql, listTables, type TestSql } from "./support/sqlite.ts";

let sql: TestSql;
let store: ControlStore;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
});

function send(command: Command, more: Partial<Envelope> = {}, options = OPTIONS): Accepted | Problem {
  const prepared: PreparedPush | null = command.type === "push" ? createPush(String(command.content)) : null;
  return executeCommand(store, createEnvelope(command, more), prepared, START_MS, options);
}

const put: Command = { type: "put", settings: {} };
const rollback: Command = { type: "rollback", environment: "production", mode: "now", reason: "" };
const promote: Command = { type: "promote", environment: "production", version: 2, reason: "" };

function createTwoVersions(): void {
  for (const command of [put, { type: "push", content: "a" }, { type: "push", content: "b" }] as const) {
    expectAccepted(send(command));
  }
}

describe("storage", () => {
  test("is not created by a command that is refused", () => {
    expect(send(rollback)).toMatchObject({ problem: "prompt_not_found" });
    expect(send({ type: "push", content: "a" })).toMatchObject({ problem: "prompt_not_found" });
    expect(send(put, { ifMatch: { environment: "production", revision: 3 } })).toMatchObject({
      problem: "revision_conflict",
      current: 0,
    });
    expect(send({ type: "put", settings: { aliases: ["no alias!"] } })).toMatchObject({
      problem: "invalid_request",
    });
    expect(listTables(sql)).toEqual([]);
    expect(sql.alarmMs).toBeNull();
  });

  test("that is not there is not found, whatever revision was believed", () => {
    const ifMatch = { environment: "production", revision: 3 };
    const push: Command = { type: "push", content: "a" };
    for (const command of [rollback, promote, push, { type: "archive", reason: "" }] as const) {
      expect(send(command, { ifMatch })).toMatchObject({ problem: "prompt_not_found" });
    }
  });

  test("is the same after a refused command as before it", () => {
    createTwoVersions();
    const before = sql.exec(`SELECT * FROM state`);
    expect(send({ ...promote, version: 7 })).toMatchObject({ problem: "version_not_found" });
    expect(
      send(promote, {
        idempotency: { key: "k", fingerprint: "f" },
        ifMatch: { environment: "production", revision: 9 },
      }),
    ).toMatchObject({ problem: "revision_conflict", current: 1 });
    expect(sql.exec(`SELECT * FROM state`)).toEqual(before);
    expect(sql.exec(`SELECT * FROM idempotency`)).toEqual([]);
  });

  test("keeps a version with all that the edge needs of it, under its number", () => {
    createTwoVersions();
    const { document } = sql.exec(`SELECT document FROM versions WHERE n = 2`)[0]!;
    expect(JSON.parse(String(document))).toEqual({
      schema: 1,
      prompt: PROMPT,
      version: 2,
      createdAt: new Date(START_MS).toISOString(),
      createdBy: "ada",
      ...createPush("b"),
    });
  });
});

describe("an answer", () => {
  test("says 201 for what is new and 200 for what was there, with production's revision", () => {
    expect(send(put)).toMatchObject({ status: 201, body: { name: PROMPT }, revision: 0, action: "settings" });
    expect(send(put)).toMatchObject({ status: 200, revision: 0 });
    const pushed = { version: 1, digest: "digest of a" };
    expect(send({ type: "push", content: "a" })).toEqual({
      status: 201,
      body: pushed,
      revision: 1,
      action: "push",
    });
    expect(send({ type: "push", content: "a" })).toEqual({
      status: 200,
      body: pushed,
      revision: 1,
      action: "push",
    });
  });

  test("of a release change is the release, of the environment that was named", () => {
    createTwoVersions();
    const command: Command = {
      type: "canary",
      environment: "staging",
      version: 2,
      weight: 5,
      transition: "now",
      reason: "",
    };
    expect(send(command)).toMatchObject({
      status: 200,
      revision: 1,
      action: "canary",
      body: {
        environment: "staging",
        baseline: 1,
        arms: [
          { version: 1, weight: 95 },
          { version: 2, weight: 5 },
        ],
      },
    });
  });

  test("of a rollback promises enforcement one lease after the commit", () => {
    createTwoVersions();
    expectAccepted(send(promote));
    expect(send(rollback)).toEqual({
      status: 200,
      revision: 3,
      action: "rollback",
      body: {
        revision: 3,
        from: 2,
        to: 1,
        committedAt: new Date(START_MS).toISOString(),
        enforcedBy: new Date(START_MS + 2_000).toISOString(),
      },
    });
  });

  test("of a rollback or a revocation reckons with longer leases that are still out", () => {
    createTwoVersions();
    expectAccepted(send(promote));
    const options = { ...OPTIONS, lease: { ...LEASE, longerUntilMs: START_MS + 9_000 } };
    const enforcedBy = new Date(START_MS + 9_000).toISOString();
    expect(send(rollback, {}, options)).toMatchObject({ body: { enforcedBy } });
    expect(send({ type: "revoke", version: 2, reason: "leaks" }, {}, options)).toMatchObject({
      revision: 4,
      body: { version: 2, enforcedBy },
    });
  });

  test("is given again under the same key even when the release has moved on", () => {
    createTwoVersions();
    const idempotency = { key: "k", fingerprint: "f" };
    const first = send(promote, { idempotency, ifMatch: { environment: "production", revision: 1 } });
    expectAccepted(send(rollback));
    expect(send(promote, { idempotency, ifMatch: { environment: "production", revision: 1 } })).toEqual(
      first,
    );
    expect(store.state?.releases["production"]?.release.baseline).toBe(1);
  });
});

function at(revision: number): Partial<Envelope> {
  return { ifMatch: { environment: "production", revision } };
}

describe("If-Match", () => {
  test("lets a command through at the revision it was decided at, and only then", () => {
    createTwoVersions();
    expect(send(promote, at(2))).toMatchObject({ problem: "revision_conflict", current: 1 });
    expectAccepted(send(promote, at(1)));
    expect(send(promote, at(1))).toMatchObject({ problem: "revision_conflict", current: 2 });
  });

  test("takes an environment without a release, whatever it is called, for revision 0", () => {
    createTwoVersions();
    for (const environment of ["staging", "constructor"]) {
      const command: Command = { ...promote, environment };
      expect(send(command, { ifMatch: { environment, revision: 1 } })).toMatchObject({ current: 0 });
      expectAccepted(send(command, { ifMatch: { environment, revision: 0 } }));
    }
  });
});
