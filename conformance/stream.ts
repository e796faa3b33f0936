// A streamed answer that the case writes piece by piece. `deliver` writes a piece and then waits until the client has
// all that was written: what a gateway holds back is seen by its order, not by a clock.

import type { Header } from "../test/support/http-messages.ts";
import type { RawClient } from "./client.ts";
import { differenceOf, neverAsked } from "./compare.ts";
import { ask, fail, firstCall, type Kit, type Verdict } from "./kit.ts";
import { type Call, encodeChunk, encodeHead, LAST_CHUNK } from "./upstream.ts";

export type Stream = {
  client: RawClient;
  call: Call;
  /** The provider's last word so far, as the client should have it. */
  written(): Buffer;
  write(bytes: string | Buffer): void;
  /** Whether the client had all of it before the deadline. */
  deliver(bytes: string | Buffer): Promise<boolean>;
  /** Ends the stream in order and compares; null when the client has the very bytes. */
  finish(): Promise<string | null>;
};

export const EVENT_STREAM: Header[] = [["Content-Type", "text/event-stream; charset=utf-8"]];

/** Asks for a stream, and hands it over once the provider has been asked and has sent its head. */
export async function withStream(
  kit: Kit,
  act: (stream: Stream) => Promise<Verdict>,
  { up = [], down = [] }: { up?: Header[]; down?: Header[] } = {},
): Promise<Verdict> {
  const client = ask(kit, { streaming: true, headers: up });
  const call = await firstCall(kit);
  if (call === null) return fail(neverAsked(client.response()));
  call.write(encodeHead(200, [...EVENT_STREAM, ...down, ["Transfer-Encoding", "chunked"]]));
  return act(openStream(kit, client, call));
}

function openStream(kit: Kit, client: RawClient, call: Call): Stream {
  const parts: Buffer[] = [];
  let size = 0;
  const write = (bytes: string | Buffer) => {
    const part = Buffer.from(bytes);
    parts.push(part);
    size += part.length;
    call.write(encodeChunk(part));
  };
  const written = () => Buffer.concat(parts);
  return {
    client,
    call,
    written,
    write,
    async deliver(bytes) {
      write(bytes);
      const had = await kit.bell.waitFor(() => client.body().length >= size, kit.deadlineMs);
      return had !== null;
    },
    async finish() {
      call.write(LAST_CHUNK);
      call.end();
      await kit.bell.waitFor(() => client.response()?.complete || client.closed(), kit.deadlineMs);
      const down = client.response();
      if (down?.complete !== true) {
        const had = `after ${client.body().length} of ${size} bytes`;
        return client.closed() === null ? `the stream did not end ${had}` : `the stream was cut ${had}`;
      }
      return down.status === 200 ? differenceOf(written(), down.body) : `200 became ${down.status}`;
    },
  };
}

/** A whole, ordinary stream of `count` deltas. */
export function ordinaryEvents(kit: Kit, count: number): string[] {
  const { opening, delta, closing } = kit.route.shape;
  return [...opening, ...Array.from({ length: count }, (_, index) => delta(`word ${index} `)), ...closing];
}
