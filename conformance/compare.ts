// What was sent against what arrived. Each check returns null when all is well, else what was seen in one line.

import { brotliDecompressSync, constants, gunzipSync } from "node:zlib";
import { type Header, headerOf, type RecordedResponse } from "../test/support/http-messages.ts";
import { insertionOf } from "../test/support/insertion.ts";
import type { Crossing, Kit } from "./kit.ts";

const EXCERPT = 36;
const BEFORE = 12;

function quote(bytes: Buffer, from: number): string {
  return JSON.stringify(bytes.toString("utf8", Math.max(0, from - BEFORE), from - BEFORE + EXCERPT));
}

/** How the bytes differ; null when they do not. */
export function differenceOf(sent: Buffer, got: Buffer): string | null {
  if (sent.equals(got)) return null;
  if (got.length === 0) return `none of ${sent.length} bytes arrived`;
  let at = 0;
  while (at < sent.length && sent[at] === got[at]) at += 1;
  if (at === got.length) return `only ${got.length} of ${sent.length} bytes arrived`;
  if (at === sent.length) return `${got.length - at} bytes too many: ${quote(got, at + BEFORE)}`;
  return `differs at byte ${at}: ${quote(sent, at)} became ${quote(got, at)}`;
}

/** The body that went up is the one that was sent; where the gateway injects, with one insertion. */
export function bodyUp(kit: Kit, sent: Buffer, { up }: Crossing): string | null {
  const got = up[0]?.body ?? Buffer.alloc(0);
  if (!kit.route.injects) return differenceOf(sent, got);
  const inserted = insertionOf(sent, got);
  if (inserted === null) return `more than one insertion: ${differenceOf(sent, got)}`;
  return inserted === "" ? "no text was put in" : null;
}

/** Exactly one request reached the provider. */
export function askedOnce(crossing: Crossing): string | null {
  const { up } = crossing;
  if (up.length === 1) return null;
  return up.length === 0 ? neverAsked(crossing.down) : `the provider was asked ${up.length} times`;
}

export function neverAsked(down: RecordedResponse | null): string {
  return `the provider was never asked; ${describeAnswer(down)}`;
}

export function describeAnswer(down: RecordedResponse | null): string {
  if (down === null) return "the client got no answer";
  const text = down.body.toString("utf8").replace(/\s+/g, " ").trim().slice(0, 100);
  return `the client got ${down.status}${text === "" ? "" : ` ${text}`}${down.complete ? "" : " (unfinished)"}`;
}

export function statusDown(wanted: number, down: RecordedResponse | null): string | null {
  if (down?.status === wanted) return null;
  return `${wanted} was said; ${describeAnswer(down)}`;
}

/** The answer is whole and its body the one that was said. */
export function bodyDown(said: Buffer, { down, client }: Crossing): string | null {
  if (down === null) return "the client got no answer";
  if (!down.complete) {
    const how = client.closed() === null ? "the answer did not end" : "the answer was cut short";
    return `${how} after ${down.body.length} of ${said.length} bytes`;
  }
  return differenceOf(said, down.body);
}

/** As RFC 9110 §5.3 joins repeated fields; null: none. */
export function joined(headers: Header[], name: string): string | null {
  const values = headers.filter(([spelled]) => spelled.toLowerCase() === name.toLowerCase());
  return values.length === 0 ? null : values.map(([, value]) => value).join(", ");
}

export function carries(headers: Header[], wanted: Header[], where: string): string | null {
  const wrong = wanted.flatMap(([name, value]) => {
    const got = joined(headers, name);
    if (got === value) return [];
    return [got === null ? name : `${name} (as ${JSON.stringify(got)})`];
  });
  return wrong.length === 0 ? null : `did not ${where} as sent: ${wrong.join(", ")}`;
}

export function lacks(headers: Header[], unwanted: string[], where: string): string | null {
  const present = unwanted.filter((name) => joined(headers, name) !== null);
  return present.length === 0 ? null : `${where}: ${present.join(", ")}`;
}

/** The text that the client reads, by what the answer says of its own encoding; null when that is not so. `partial`:
 * more is to come. */
export function decodeBody(down: RecordedResponse, partial = false): Buffer | null {
  const encoding = headerOf(down, "content-encoding")?.toLowerCase() ?? "identity";
  try {
    if (encoding === "identity") return down.body;
    const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = constants;
    if (encoding === "gzip") return gunzipSync(down.body, partial ? { finishFlush: Z_SYNC_FLUSH } : {});
    if (encoding !== "br") return null;
    return brotliDecompressSync(down.body, partial ? { finishFlush: BROTLI_OPERATION_FLUSH } : {});
  } catch {
    return null;
  }
}
