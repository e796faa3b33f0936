// A prompt with two versions, and what isolates say about it.

import { executeCommand } from "../../../src/control/commands.ts";
import type { ControlStore } from "../../../src/control/store.ts";
import type { SyncRequest } from "../../../src/core/ports.ts";
import type { Tally } from "../../../src/core/types.ts";
import { createEnvelope, createPush, expectAccepted, OPTIONS, PROMPT, START_MS } from "./commands.ts";

export function createPrompt(store: ControlStore): void {
  expectAccepted(
    executeCommand(store, createEnvelope({ type: "put", settings: {} }), null, START_MS, OPTIONS),
  );
  for (const text of ["a", "b"]) {
    const envelope = createEnvelope({ type: "push", content: text });
    expectAccepted(executeCommand(store, envelope, createPush(text), START_MS, OPTIONS));
  }
}

/** Of version 2 or another, draining. */
export function changeWeight(store: ControlStore, weight: number, nowMs: number, version = 2): void {
  const command = {
    type: "canary",
    environment: "production",
    version,
    weight,
    transition: "drain",
    reason: "",
  } as const;
  expectAccepted(executeCommand(store, createEnvelope(command), null, nowMs, OPTIONS));
}

export function createSync(more: Partial<SyncRequest> = {}): SyncRequest {
  return {
    prompt: PROMPT,
    environment: "production",
    isolate: "isolate-1",
    knownRevision: 0,
    report: null,
    began: [],
    ...more,
  };
}

export function createTally(more: Partial<Tally> = {}): Tally {
  const counts = { requests: 1, errors: 0, aborted: 0 };
  return { revision: 1, version: 1, arm: "baseline", reason: "static", ...counts, ...more };
}
