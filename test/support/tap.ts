// A wire tap: forwards bytes between two sockets untouched, and remembers them with their times of arrival and how
// each side left. What really went over the wire is judged from here, never from what a client or a stand-in
// provider says it sent or got.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import {
  parseRequests,
  parseResponses,
  type RecordedRequest,
  type RecordedResponse,
  type Segment,
} from "./http-messages.ts";

/** `end`: it closed in order; `reset`: it did not. */
export type Closing = { atMs: number; how: "end" | "reset" };

/** A request, what has come back so far, and the closings seen on their connection. */
export type Exchange = {
  request: RecordedRequest;
  response: RecordedResponse | null;
  /** The side that sent the request. */
  clientClosed: Closing | null;
  serverClosed: Closing | null;
};

export type Tap = {
  port: number;
  url: string;
  /** All so far, in the order in which their first bytes arrived. */
  exchanges(): Exchange[];
  /** Forgets what was recorded; open connections go on. */
  clear(): void;
  stop(): Promise<void>;
};

export type TapOptions = {
  /** A client's orderly close is passed on as a reset, as the network in front of a deployed Worker makes every
   * departure known at once; on a bare socket, workerd notices an orderly close only when its next write fails. */
  resetOnLeave?: boolean;
};

type Connection = {
  up: Segment[];
  down: Segment[];
  clientClosed: Closing | null;
  serverClosed: Closing | null;
};

export async function startTap(targetPort: number, options: TapOptions = {}): Promise<Tap> {
  let connections: Connection[] = [];
  let sinceMs = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const connection: Connection = { up: [], down: [], clientClosed: null, serverClosed: null };
    connections.push(connection);
    for (const socket of [client, target]) sockets.add(socket.on("close", () => sockets.delete(socket)));
    forward(client, target, connection.up, (closing) => (connection.clientClosed ??= closing), options);
    forward(target, client, connection.down, (closing) => (connection.serverClosed ??= closing), {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    exchanges: () =>
      connections
        .flatMap(readExchanges)
        .filter(({ request }) => request.firstByteAtMs >= sinceMs)
        .toSorted((a, b) => a.request.firstByteAtMs - b.request.firstByteAtMs),
    clear() {
      sinceMs = performance.now();
      connections = connections.filter(({ clientClosed }) => clientClosed === null);
    },
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

function forward(
  from: Socket,
  to: Socket,
  record: Segment[],
  close: (closing: Closing) => void,
  options: TapOptions,
): void {
  from.on("data", (bytes) => {
    record.push({ atMs: performance.now(), bytes });
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => {
    close({ atMs: performance.now(), how: "end" });
    if (options.resetOnLeave === true) to.resetAndDestroy();
    else to.end();
  });
  from.on("error", () => {
    // It had already said all it had to say; what it does not read any more is not the other side's failure.
    if (from.readableEnded) return;
    close({ atMs: performance.now(), how: "reset" });
    to.resetAndDestroy();
  });
}

function readExchanges(connection: Connection): Exchange[] {
  const requests = parseRequests(connection.up);
  const methods = requests.map((request) => request.method);
  const responses = parseResponses(connection.down, methods, connection.serverClosed !== null);
  const { clientClosed, serverClosed } = connection;
  return requests.map((request, index) => ({
    request,
    response: responses[index] ?? null,
    clientClosed,
    serverClosed,
  }));
}
