// A client that sends exactly the bytes it is given: no header added, no path normalised, no body re-encoded.

import { connect } from "node:net";
import type { Header } from "./http-messages.ts";

export type RawRequest = {
  method?: string;
  /** The request target, as it stands in the request line. */
  url: string;
  headers?: Header[];
  body?: string | Buffer;
};

/** Sends one request on a connection of its own, and resolves once the other side has closed it. The answer is read
 * at the tap. */
export async function sendRaw(port: number, { method, url, headers = [], body }: RawRequest): Promise<void> {
  const all: Header[] = [["Host", "proxy.test"], ...headers];
  if (body !== undefined) all.push(["Content-Length", String(Buffer.byteLength(body))]);
  all.push(["Connection", "close"]);
  const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const socket = connect(port, "127.0.0.1");
  socket.write(`${method ?? (body === undefined ? "GET" : "POST")} ${url} HTTP/1.1\r\n${head}\r\n`);
  if (body !== undefined) socket.write(body);
  socket.resume();
  await new Promise((resolve) => socket.on("error", () => undefined).on("close", resolve));
}
