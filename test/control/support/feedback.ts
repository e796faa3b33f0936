// Ids of turns as an edge of the prompt signs them, and feedback by them.

import { createHmac } from "node:crypto";
import { feedbackKeyOf } from "../../../src/control/feedback-key.ts";
import type { ControlStore } from "../../../src/control/store.ts";
import type { Feedback } from "../../../src/core/feedback.ts";
import { writeClaim, type ServedTurn } from "../../../src/core/request-id.ts";
import { PROMPT, START_MS } from "./commands.ts";

export function createTurn(more: Partial<ServedTurn> = {}): ServedTurn {
  return {
    prompt: PROMPT,
    environment: "production",
    revision: 1,
    version: 1,
    arm: "baseline",
    reason: "split",
    turn: "first",
    servedAtMs: START_MS,
    id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    ...more,
  };
}

/** As anybody would who has the key. */
export function signTurn(key: string, turn: ServedTurn): string {
  const claim = writeClaim(turn);
  const mac = createHmac("sha256", Buffer.from(key, "base64url")).update(claim).digest();
  return `${claim}.${mac.subarray(0, 12).toString("base64url")}`;
}

export function createFeedback(
  store: ControlStore,
  turn: Partial<ServedTurn>,
  more: Partial<Feedback> = {},
): Feedback {
  const requestId = signTurn(feedbackKeyOf(store), createTurn(turn));
  return { requestId, name: "thumbs", value: true, comment: null, by: "checkout", ...more };
}
