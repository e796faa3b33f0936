// The control plane in as few words as a test wants to spend on it. Bodies are what the API answers, unchecked; a
// refusal throws with its code, so that a set-up that did not happen is seen where it failed.

import type { Prompt, ReleaseView } from "../../src/core/types.ts";
import type { PushAnswer, PutPrompt, RevokeAnswer, RollbackAnswer } from "../../src/core/ports.ts";
import { ADMIN_TOKEN } from "./cluster.ts";

export type Content = { system?: string; [field: string]: unknown };
export type Rollback = {
  environment?: string;
  reason?: string;
  to?: number;
  mode?: "now" | "drain";
  wait?: boolean;
};
export type Canary = { environment?: string; reason?: string; transition?: "drain" | "now" };

/** A call's answer as it is, refusals too. `body` is parsed JSON, null when there is none. */
export type Answer<Body = unknown> = { status: number; headers: Headers; body: Body };

export type Admin = {
  /** Any call: `call("POST", "/admin/prompts/x/canary", {…}, {"if-match": '"3"'})`. Refusals are answers here. */
  call<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  put(prompt: string, settings?: PutPrompt): Promise<Prompt>;
  push(prompt: string, content: Content): Promise<PushAnswer>;
  canary(prompt: string, version: number, weight: number, more?: Canary): Promise<ReleaseView>;
  promote(prompt: string, version?: number, environment?: string): Promise<ReleaseView>;
  rollback(prompt: string, body?: Rollback): Promise<RollbackAnswer>;
  revoke(prompt: string, version: number, reason?: string): Promise<RevokeAnswer>;
  readRelease(prompt: string, environment?: string): Promise<ReleaseView>;
};

/** `url` without trailing slash: any isolate of a cluster. */
export function connectAdmin(url: string, token: string = ADMIN_TOKEN): Admin {
  const call = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = (text === "" ? null : JSON.parse(text)) as Body;
    return { status: response.status, headers: response.headers, body: parsed };
  };
  const must = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await call<Body>(method, `/admin/prompts/${path}`, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path} was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  return {
    call,
    put: (prompt, settings = {}) => must("PUT", prompt, settings),
    push: (prompt, content) => must("POST", `${prompt}/versions`, content),
    canary: (prompt, version, weight, more = {}) =>
      must("POST", `${prompt}/canary`, { version, weight, ...more }),
    promote: (prompt, version, environment) =>
      must("POST", `${prompt}/promote`, {
        ...(version !== undefined && { version }),
        ...(environment !== undefined && { environment }),
      }),
    rollback: (prompt, body = {}) => must("POST", `${prompt}/rollback`, body),
    revoke: (prompt, version, reason = "a test") =>
      must("POST", `${prompt}/versions/${version}/revoke`, { reason }),
    readRelease: (prompt, environment = "production") =>
      must("GET", `${prompt}/release?environment=${environment}`),
  };
}
