// What the HTTP suites share: the shipped Worker in workerd with the demo prompt in it, and calls built from the
// table of operations, so that a new operation is tested without a word written here.

import type { Operation } from "../../src/admin/operations.ts";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";

export const PROMPT = "support-bot";

export type Sent = {
  method: string;
  /** With its query. */
  path: string;
  body?: string;
  headers?: Record<string, string>;
};

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  field?: string;
  errors?: { field: string; message: string }[];
  current?: number;
  missing?: string[];
};

/** null: no Authorization header at all. */
export async function send(url: string, sent: Sent, token: string | null = ADMIN_TOKEN): Promise<Response> {
  const { method, path, body, headers = {} } = sent;
  return fetch(url + path, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
  });
}

/** The example of an operation as a request. */
export function exampleOf({ method, example }: Operation): Sent {
  const path = example.query === undefined ? example.path : `${example.path}?${example.query}`;
  return example.body === undefined ? { method, path } : { method, path, body: JSON.stringify(example.body) };
}

/** One Worker with the prompt of the examples: versions 1 (baseline) and 2. */
export async function startDemo(edges = 0, vars: Record<string, string> = {}): Promise<Cluster> {
  const cluster = await startCluster({ edges, vars });
  await seed(cluster.control.url, PROMPT);
  return cluster;
}

export async function seed(url: string, prompt: string): Promise<void> {
  const path = `/admin/prompts/${prompt}`;
  await mustSend(url, { method: "PUT", path, body: "{}" });
  for (const system of ["You help users of {{product}}.", "You are the agent of {{product}}. Be brief."]) {
    const body = JSON.stringify({ system, variables: { product: { default: "Acme" } } });
    await mustSend(url, { method: "POST", path: `${path}/versions`, body });
  }
}

/** The parsed answer; throws with what was said when the call was refused. */
export async function mustSend<Body>(
  url: string,
  sent: Sent,
  token: string | null = ADMIN_TOKEN,
): Promise<Body> {
  const response = await send(url, sent, token);
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as Body;
  throw new Error(`${sent.method} ${sent.path} was refused: ${response.status} ${text}`);
}
