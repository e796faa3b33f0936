// Usage of a stream is asked for only where the deployment wants it and nobody has said a word about it; the body is
// otherwise the caller's.

import { describe, expect, it } from "vitest";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import { openBody } from "../../src/wire/partial-body.ts";
import type { FormatId } from "../../src/wire/wire.ts";
import { scanText } from "./injecting.ts";
import { renderedWith } from "./versions.ts";

const CHAT = FORMATS["openai-chat"];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Asking = { version?: Partial<Rendered>; asksUsage?: boolean; format?: FormatId };

function ask(text: string, { version = {}, asksUsage = true, format = "openai-chat" }: Asking = {}): string {
  const prepared = FORMATS[format].prepare(renderedWith(version), {
    provider: "openai",
    count: false,
    asksUsage,
  });
  const out = FORMATS[format].inject(scanText(format, text), prepared);
  if (isProblem(out)) throw new Error(out.message);
  return decoder.decode(out);
}

const isOpen = (text: string) => CHAT.leavesUsageOpen?.(scanText("openai-chat", text));

const OPEN: [body: string, sent: string][] = [
  ['{"stream":true,"messages":[]}', '{"stream_options":{"include_usage":true},"stream":true,"messages":[]}'],
  [
    '{"stream":true,"stream_options":null,"messages":[]}',
    '{"stream":true,"stream_options":{"include_usage":true},"messages":[]}',
  ],
  [
    '{"stream_options" : { } ,"stream":true,"messages":[]}',
    '{"stream_options" : {"include_usage":true } ,"stream":true,"messages":[]}',
  ],
  [
    '{"stream":true,"messages":[],"stream_options":{"include_obfuscation":false}}',
    '{"stream":true,"messages":[],"stream_options":{"include_usage":true,"include_obfuscation":false}}',
  ],
  [
    '{"stream":true,"messages":[],"stream_options":{"include_usage": null}}',
    '{"stream":true,"messages":[],"stream_options":{"include_usage": true}}',
  ],
  [
    '{"str\\u0065am":true,"messages":[],"stream\\u005foptions":{"x":1}}',
    '{"str\\u0065am":true,"messages":[],"stream\\u005foptions":{"include_usage":true,"x":1}}',
  ],
  [
    '{"stream_options":{},"stream":false,"stream":true,"messages":[],"stream_options":null}',
    '{"stream_options":{"include_usage":true},"stream":false,"stream":true,"messages":[],"stream_options":{"include_usage":true}}',
  ],
];

const SAID = [
  '{"stream":true,"messages":[],"stream_options":{"include_usage":true}}',
  '{"stream":true,"messages":[],"stream_options":{"include_usage":false}}',
  '{"stream":true,"messages":[],"stream_options":{"include\\u005fusage":false}}',
  '{"stream":true,"messages":[],"stream_options":{"include_usage":"yes"}}',
  '{"stream":true,"messages":[],"stream_options":{"include_usage":false},"stream_options":{}}',
  '{"stream":true,"messages":[],"stream_options":{},"stream_options":{"include_usage":true}}',
  '{"stream":true,"messages":[],"stream_options":{"include_usage":true,"include_usage":null}}',
  '{"stream":true,"messages":[],"stream_options":7}',
];

const UNSTREAMED = [
  '{"messages":[]}',
  '{"stream":false,"messages":[],"stream_options":{}}',
  '{"stream":null,"messages":[]}',
  '{"stream":"true","messages":[]}',
  '{"stream":true,"stream":false,"messages":[]}',
];

describe("usage of a stream", () => {
  it.each(OPEN)("is asked for where the caller leaves it open: %s", (body, sent) => {
    expect(isOpen(body)).toBe(true);
    expect(ask(body)).toBe(sent);
  });

  it.each(SAID)("is left to the caller who has said something: %s", (body) => {
    expect(isOpen(body)).toBe(false);
    expect(ask(body)).toBe(body);
  });

  it.each(UNSTREAMED)("is not asked for where nothing streams: %s", (body) => {
    expect(isOpen(body)).toBe(false);
    expect(ask(body)).toBe(body);
  });

  it("is not asked for unless the deployment wants it", () => {
    for (const [body] of OPEN) expect(ask(body, { asksUsage: false })).toBe(body);
  });

  it("is left to a version that sets the options itself", () => {
    const version = { providerParams: { openai: { stream_options: { include_obfuscation: false } } } };
    expect(ask('{"stream":true,"messages":[]}', { version })).toBe(
      '{"stream_options":{"include_obfuscation":false},"stream":true,"messages":[]}',
    );
  });

  it("goes in beside what the version says", () => {
    expect(
      ask('{"stream":true,"messages":[]}', { version: { system: "S", params: { temperature: 0 } } }),
    ).toBe(
      '{"temperature":0,"stream_options":{"include_usage":true},"stream":true,"messages":[{"role":"system","content":"S"}]}',
    );
  });

  it("is asked of no other format, whose streams report it anyway", () => {
    const body = '{"stream":true,"messages":[{"role":"user","content":"q"}]}';
    for (const format of ["anthropic-messages", "workers-ai"] as const) {
      expect(ask(body, { format })).toBe(body);
      expect(FORMATS[format].leavesUsageOpen).toBeUndefined();
    }
  });
});

const LIST = '"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]';

/** The body in two halves, of which the first is cut within the list; null: it has to be read whole. */
function send(text: string): string | Problem | null {
  const body = encoder.encode(text);
  const head = body.slice(0, text.indexOf("assistant"));
  const partial = openBody(CHAT, null, head, Infinity, null);
  const prepared = CHAT.prepare(renderedWith({ system: "S" }), {
    provider: "openai",
    count: false,
    asksUsage: true,
  });
  const begun = partial?.begin(prepared) ?? null;
  if (partial === null || begun === null || isProblem(begun)) return begun as Problem | null;
  const rest = body.slice(head.length - partial.rest(head).length);
  const end = partial.pass(rest);
  if (isProblem(end)) return end;
  const tail = rest.slice(end);
  const scan = partial.close(tail);
  if (isProblem(scan)) return scan;
  const ended = partial.end(scan, prepared, tail);
  return isProblem(ended) ? ended : decoder.decode(Buffer.concat([begun, rest.slice(0, end), ended]));
}

describe("a body that goes up while it comes in", () => {
  const list = LIST.replace("[", '[{"role":"system","content":"S"},');
  const asked = '"stream_options":{"include_usage":true}';

  it("asks at its end, when the caller can have said nothing any more", () => {
    expect(send(`{"stream":true,${LIST}}`)).toBe(`{"stream":true,${list},${asked}}`);
    expect(send(`{"model":"m",${LIST},"stream":true}`)).toBe(`{"model":"m",${list},"stream":true,${asked}}`);
    const own = '"stream_options":{"include_usage":false}';
    expect(send(`{"stream":true,${LIST},${own}}`)).toBe(`{"stream":true,${list},${own}}`);
    expect(send(`{"stream":true,${LIST},"stream_options":{}}`)).toBe(`{"stream":true,${list},${asked}}`);
  });

  it("asks before the messages where the options stand there", () => {
    expect(send(`{"stream":true,"stream_options":{},${LIST}}`)).toBe(`{"stream":true,${asked},${list}}`);
  });

  it("is read whole where options stand before the messages, and whether it streams does not", () => {
    expect(send(`{"stream_options":{},${LIST},"stream":true}`)).toBeNull();
    const own = '"stream_options":{"include_usage":true}';
    expect(send(`{${own},${LIST},"stream":true}`)).toBe(`{${own},${list},"stream":true}`);
  });

  it("that takes back at its end what it has said before is refused", () => {
    const options = '"stream_options":{}';
    expect(send(`{"stream":true,${options},${LIST},"stream_options":{"include_usage":false}}`)).toMatchObject(
      { problem: "invalid_request" },
    );
  });
});
