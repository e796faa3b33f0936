// Reads HTTP/1.1 messages out of recorded bytes: header names as spelled, in the order sent, repeated ones kept.
// Pure: bytes and their times of arrival go in, messages come out, so that the recorder itself need not understand
// (or alter) anything.

/** Bytes as they came off a socket, in milliseconds of `performance.now()`. */
export type Segment = { atMs: number; bytes: Buffer };

export type Header = [name: string, value: string];

type Message = {
  headers: Header[];
  /** Without transfer framing; content encoding is left as it was. */
  body: Buffer;
  /** false: the bytes end before the message does. */
  complete: boolean;
  firstByteAtMs: number;
  /** When the first byte after the head came; null while there is none. */
  bodyAtMs: number | null;
  lastByteAtMs: number;
};

export type RecordedRequest = Message & { method: string; url: string };
export type RecordedResponse = Message & { status: number };

type Head = { line: string; headers: Header[]; end: number };
type Body = { body: Buffer; end: number; complete: boolean };

export function parseRequests(segments: Segment[]): RecordedRequest[] {
  const bytes = Buffer.concat(segments.map((segment) => segment.bytes));
  const found: RecordedRequest[] = [];
  for (let start = 0; start < bytes.length;) {
    const head = readHead(bytes, start);
    if (head === null) break;
    const { body, end, complete } = readBody(bytes, head, false);
    const [method = "", url = ""] = head.line.split(" ");
    found.push({
      method,
      url,
      headers: head.headers,
      body,
      complete,
      ...timesOf(segments, start, head.end, end),
    });
    start = end;
  }
  return found;
}

/** `methods` of the requests that are answered here, in order: an answer to HEAD has no body. `closed`: nothing more
 * will come, which is what ends a body of no stated length. */
export function parseResponses(segments: Segment[], methods: string[], closed: boolean): RecordedResponse[] {
  const bytes = Buffer.concat(segments.map((segment) => segment.bytes));
  const found: RecordedResponse[] = [];
  for (let start = 0; start < bytes.length;) {
    const head = readHead(bytes, start);
    if (head === null) break;
    const status = Number(head.line.split(" ")[1]);
    if (status >= 100 && status < 200 && status !== 101) {
      // Interim: the answer itself is still to come.
      start = head.end;
      continue;
    }
    const bodiless = methods[found.length] === "HEAD" || status === 204 || status === 304 || status === 101;
    const none: Body = { body: Buffer.alloc(0), end: head.end, complete: true };
    const { body, end, complete } = bodiless ? none : readBody(bytes, head, true, closed);
    found.push({ status, headers: head.headers, body, complete, ...timesOf(segments, start, head.end, end) });
    start = end;
  }
  return found;
}

/** First value of a header, by any spelling of its name. */
export function headerOf(message: { headers: Header[] }, name: string): string | null {
  const wanted = name.toLowerCase();
  return message.headers.find(([spelled]) => spelled.toLowerCase() === wanted)?.[1] ?? null;
}

function readHead(bytes: Buffer, start: number): Head | null {
  const end = bytes.indexOf("\r\n\r\n", start);
  if (end < 0) return null;
  const [line = "", ...rest] = bytes.toString("latin1", start, end).split("\r\n");
  const headers = rest.map((text): Header => {
    const colon = text.indexOf(":");
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });
  return { line, headers, end: end + 4 };
}

function readBody(bytes: Buffer, head: Head, untilClose: boolean, closed = false): Body {
  if (headerOf(head, "transfer-encoding")?.toLowerCase() === "chunked") return readChunks(bytes, head.end);
  const length = headerOf(head, "content-length");
  if (length === null && untilClose) {
    return { body: bytes.subarray(head.end), end: bytes.length, complete: closed };
  }
  const end = head.end + Number(length ?? 0);
  return {
    body: bytes.subarray(head.end, end),
    end: Math.min(end, bytes.length),
    complete: end <= bytes.length,
  };
}

function readChunks(bytes: Buffer, start: number): Body {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const chunkEnd = lineEnd + 2 + size;
    parts.push(bytes.subarray(lineEnd + 2, chunkEnd));
    if (chunkEnd + 2 > bytes.length) break;
    at = chunkEnd + 2;
    if (size === 0) return { body: Buffer.concat(parts), end: at, complete: true };
  }
  return { body: Buffer.concat(parts), end: bytes.length, complete: false };
}

function timesOf(
  segments: Segment[],
  start: number,
  bodyStart: number,
  end: number,
): Pick<Message, "firstByteAtMs" | "bodyAtMs" | "lastByteAtMs"> {
  const at = (offset: number): number => {
    let seen = 0;
    for (const segment of segments) {
      seen += segment.bytes.length;
      if (offset < seen) return segment.atMs;
    }
    return segments.at(-1)?.atMs ?? 0;
  };
  const bodyAtMs = bodyStart < end ? at(bodyStart) : null;
  return { firstByteAtMs: at(start), bodyAtMs, lastByteAtMs: at(end - 1) };
}
