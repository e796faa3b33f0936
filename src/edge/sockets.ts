// Two WebSockets as one tunnel: what comes out of either goes into the other, in order, and a close passes with its code
// and reason. What the client says may have to wait, or go up as something else; binary frames never do.

import { isProblem, nameOfError, type Problem } from "../core/problem.ts";

export type Ending = "ok" | "error" | "aborted";

export type Tunnel = {
  /** What goes up in place of a text of the client's; a problem: nothing does, and the client is told. */
  rewrite(text: string): string[] | Problem | Promise<string[] | Problem>;
  /** A problem in the words of the client's protocol. */
  say(problem: Problem): string;
  /** Sees what the provider says, on its way. */
  hear(text: string): void;
  /** Called once. */
  end(ending: Ending): void;
};

type Message = string | ArrayBuffer;
type Closing = { code: number; reason: string };

const NO_CODE = 1005;
const BROKEN = 1006;
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;
const GOOD_CODES = new Set([1000, GOING_AWAY, NO_CODE]);

/** The end for the client to hold; `upstream` is the provider's, not yet accepted. */
export function joinSockets(upstream: WebSocket, tunnel: Tunnel): WebSocket {
  const { 0: client, 1: server } = new WebSocketPair();
  let isOver = false;
  const finish = (ending: Ending) => {
    if (!isOver) tunnel.end(ending);
    isOver = true;
  };
  passUp(server, upstream, tunnel, ({ code, reason }) => {
    finish(GOOD_CODES.has(code) ? "ok" : "aborted");
    close(upstream, code === BROKEN ? GOING_AWAY : code, code === BROKEN ? "The client left." : reason);
    close(server, code, reason);
  });
  listen(upstream, {
    message(data) {
      if (typeof data === "string") tunnel.hear(data);
      send(server, data);
    },
    close({ code, reason }) {
      finish(GOOD_CODES.has(code) ? "ok" : "error");
      const words = code === BROKEN ? "The provider broke off the connection." : reason;
      close(server, code === BROKEN ? INTERNAL_ERROR : code, words);
      close(upstream, code, reason);
    },
  });
  return client;
}

/** One thing at a time: what the client says while something waits, its close too, waits behind it. */
function passUp(
  server: WebSocket,
  upstream: WebSocket,
  tunnel: Tunnel,
  end: (closing: Closing) => void,
): void {
  const waiting: (Message | Closing)[] = [];
  let isPassing = false;
  const pass = async (): Promise<void> => {
    isPassing = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (next instanceof ArrayBuffer) {
        send(upstream, next);
        continue;
      }
      if (typeof next === "object") {
        end(next);
        continue;
      }
      const rewritten = tunnel.rewrite(next);
      // Without a wait where nothing is to be waited for: a voice's every few milliseconds come by here.
      const texts = rewritten instanceof Promise ? await rewritten : rewritten;
      if (isProblem(texts)) send(server, tunnel.say(texts));
      else for (const text of texts) send(upstream, text);
    }
    isPassing = false;
  };
  // A bug of ours ends the tunnel: nothing goes up behind what should have been rewritten.
  const fail = (error: unknown): void => {
    console.error(JSON.stringify({ event: "proxy_failed", error: nameOfError(error) }));
    end({ code: INTERNAL_ERROR, reason: "The proxy failed." });
  };
  const take = (item: Message | Closing): void => {
    waiting.push(item);
    if (!isPassing) pass().catch(fail);
  };
  listen(server, { message: take, close: take });
}

function listen(
  socket: WebSocket,
  { message, close: closed }: { message(data: Message): void; close(closing: Closing): void },
): void {
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => message(data as Message));
  socket.addEventListener("close", ({ code, reason }) => closed({ code, reason }));
  socket.addEventListener("error", () => closed({ code: BROKEN, reason: "" }));
  socket.accept();
}

/** Into a socket that has closed meanwhile nothing goes, and nobody misses it. */
function send(socket: WebSocket, data: Message): void {
  if (socket.readyState === WebSocket.READY_STATE_OPEN) socket.send(data);
}

/** Codes that only say that there was none cannot be sent. */
function close(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState === WebSocket.READY_STATE_CLOSED) return;
  try {
    if (code === NO_CODE || code === BROKEN) socket.close();
    else socket.close(code, reason);
  } catch {
    // It was closing already.
  }
}
