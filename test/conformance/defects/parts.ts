// Parts of a gateway that do one thing wrong, as the defects use them.

import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import type { Header } from "../../support/http-messages.ts";
import { cleanDown, cleanUp, type Parts } from "../gateway.ts";

/** The case that fails too wherever a part needs the whole of a request's body. */
export const COLLECTS = "streamed-upload";

export type Defect = { name: string; parts: Partial<Parts>; found: string[] };

const lets = (raw: Header[], pattern: RegExp) => raw.filter(([name]) => pattern.test(name));
export const alsoUp = (pattern: RegExp): Partial<Parts> => ({
  headersUp: (raw, url) => [...cleanUp(raw, url), ...lets(raw, pattern)],
});
export const notUp = (pattern: RegExp): Partial<Parts> => ({
  headersUp: (raw, url) => cleanUp(raw, url).filter(([name]) => !pattern.test(name)),
});
export const setsUp = (name: string, value: string): Partial<Parts> => ({
  headersUp: (raw, url) => [
    ...cleanUp(raw, url).filter(([each]) => each.toLowerCase() !== name),
    [name, value],
  ],
});
export const alsoDown = (pattern: RegExp): Partial<Parts> => ({
  headersDown: (raw) => [...cleanDown(raw), ...lets(raw, pattern)],
});
export const notDown = (pattern: RegExp): Partial<Parts> => ({
  headersDown: (raw) => cleanDown(raw).filter(([name]) => !pattern.test(name)),
});

export const isStream = (answer: IncomingMessage) =>
  /event-stream/.test(answer.headers["content-type"] ?? "") &&
  answer.headers["content-encoding"] === undefined;
export const isJson = (answer: IncomingMessage) =>
  /json/.test(answer.headers["content-type"] ?? "") && answer.headers["content-encoding"] === undefined;
export const unframed = (raw: Header[]) => cleanDown(raw).filter(([name]) => !/^content-length$/i.test(name));

/** Node knows it; its types do not say so. */
export function requestOf(answer: IncomingMessage): { method: string; path: string } {
  return (answer as unknown as { req: { method: string; path: string } }).req;
}

/** Each event of a stream, once it is whole, as `change` has it. Bytes are kept by reading them as latin1. */
export function ofEvents(change: (event: string) => string, separator = /(\r?\n\r?\n)/): Partial<Parts> {
  return {
    headersDown: unframed,
    through(answer) {
      if (!isStream(answer)) return null;
      let rest = "";
      return new Transform({
        transform(bytes: Buffer, _, done) {
          const pieces = (rest + bytes.toString("latin1")).split(separator);
          rest = pieces.pop() ?? "";
          let out = "";
          for (let at = 0; at < pieces.length; at += 2) out += change(pieces[at]! + pieces[at + 1]!);
          done(null, Buffer.from(out, "latin1"));
        },
        flush(done) {
          done(null, Buffer.from(rest, "latin1"));
        },
      });
    },
  };
}

/** The whole body, once it has all come, as `change` has it. */
export function ofWhole(
  when: (answer: IncomingMessage) => boolean,
  change: (body: Buffer) => Buffer,
): Partial<Parts> {
  return {
    headersDown: (raw, answer) => (when(answer) ? unframed(raw) : cleanDown(raw)),
    through(answer) {
      if (!when(answer)) return null;
      const parts: Buffer[] = [];
      return new Transform({
        transform(bytes: Buffer, _, done) {
          parts.push(bytes);
          done();
        },
        flush(done) {
          done(null, change(Buffer.concat(parts)));
        },
      });
    },
  };
}
