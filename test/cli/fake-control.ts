// A control plane that says what a test tells it to say, on a real socket: it routes by the same table of operations
// as the real one, writes down every request, and can break connections.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { operationList, type OperationId } from "../../src/admin/operations.ts";
import { SAMPLES } from "./samples.ts";

export type Seen = {
  id: OperationId | null;
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
  body: unknown;
};

export type Script = { status: number; body: unknown; headers?: Record<string, string> } | "hang up";

export type FakeControl = {
  url: string;
  seen: Seen[];
  /** Requests of one operation, oldest first. */
  calls(id: OperationId): Seen[];
  /** The next answers of an operation, one each; afterwards its sample again. */
  script(id: OperationId, ...answers: Script[]): void;
  /** Everything is as at the start. */
  reset(): void;
  stop(): Promise<void>;
};

export const TOKEN = "a-secret-that-nobody-may-see";

export function problemBody(code: string, status: number, detail: string, more: object = {}): Script {
  return {
    status,
    body: { type: `/docs#${code}`, title: `Title of ${code}`, status, detail, code, ...more },
  };
}

export async function startFakeControl(): Promise<FakeControl> {
  const seen: Seen[] = [];
  const scripts = new Map<OperationId, Script[]>();
  const server = createServer((request, response) => {
    void answer(request, response, seen, scripts);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    calls: (id) => seen.filter((one) => one.id === id),
    script: (id, ...answers) => void scripts.set(id, [...answers]),
    reset() {
      seen.length = 0;
      scripts.clear();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  seen: Seen[],
  scripts: Map<OperationId, Script[]>,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://fake");
  const sent = await text(request);
  const id = findOperation(request.method ?? "", url.pathname);
  const body: unknown = sent === "" ? null : JSON.parse(sent);
  seen.push({
    id,
    method: request.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body,
  });
  const scripted = id === null ? undefined : scripts.get(id)?.shift();
  if (scripted === "hang up") return void request.socket.destroy();
  const { status, body: said, headers } = scripted ?? sampleOf(request, id);
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof said === "string" ? said : JSON.stringify(said));
}

function sampleOf(request: IncomingMessage, id: OperationId | null): Exclude<Script, "hang up"> {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    return problemBody("unauthenticated", 401, "The token is not known.") as Exclude<Script, "hang up">;
  }
  if (id === null) return problemBody("route_not_found", 404, "No such call.") as Exclude<Script, "hang up">;
  return { status: ["pushVersion", "mintToken", "mintKey"].includes(id) ? 201 : 200, body: SAMPLES[id] };
}

function findOperation(method: string, path: string): OperationId | null {
  const found = operationList.find((operation) => {
    const pattern = new RegExp(`^${operation.path.replace(/:[a-z]+/g, "[^/]+")}$`);
    return operation.method === method && pattern.test(path);
  });
  return found === undefined ? null : (found.id as OperationId);
}
