import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import {
  emptySession,
  readClientEvent,
  realtimeBetaSession,
  realtimeSession,
  repeatInto,
  replaceObject,
  updateEvent,
} from "../../src/wire/openai-realtime.ts";
import { describeFormat } from "./format-suite.ts";
import { renderedWith } from "./versions.ts";

for (const id of ["openai-realtime", "openai-realtime-beta"] as const) {
  describeFormat({ format: FORMATS[id], smallest: '{"type":"realtime"}', counts: false, modelInPath: true });
}

const OPTIONS = { provider: "openai", count: false, modelInPath: true };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function sessionOf(text: string, version: Partial<Rendered>): string {
  const scan = realtimeSession.scan(encoder.encode(text));
  if (isProblem(scan)) throw new Error(scan.message);
  const out = realtimeSession.inject(scan, realtimeSession.prepare(renderedWith(version), OPTIONS));
  if (isProblem(out)) throw new Error(out.message);
  return decoder.decode(out);
}

function eventOf(text: string): ReturnType<typeof readClientEvent> {
  return readClientEvent(encoder.encode(text));
}

function repeatIn(text: string, version: Partial<Rendered>): unknown {
  const event = encoder.encode(text);
  const found = readClientEvent(event);
  if (found === null || isProblem(found)) throw new Error(text);
  const out = repeatInto(event, found, realtimeSession.prepare(renderedWith(version), OPTIONS));
  return isProblem(out) ? out : decoder.decode(out);
}

describe("a session", () => {
  it("gets the version's text, tools and parameters, the client's own bytes as they were", () => {
    const tools = [{ name: "find", parameters: { type: "object" }, strict: true }];
    const params = { max_output_tokens: 5, tool_choice: { name: "find" }, temperature: 0.2 };
    const out = sessionOf('{"type":"realtime","instructions":"C\\u0021","x":1.0}', {
      system: "S",
      tools,
      params,
    });
    const ours =
      '"max_output_tokens":5,"tool_choice":{"type":"function","name":"find"},"tools":[{"type":"function","name":"find","parameters":{"type":"object"}}]';
    expect(out).toBe(`{${ours},"type":"realtime","instructions":"S\\n\\nC\\u0021","x":1.0}`);
  });

  it("of the beta has its own names, and the model is never part of it", () => {
    const version = renderedWith({ model: "m", params: { max_output_tokens: 5, temperature: 0.2 } });
    const scan = realtimeBetaSession.scan(emptySession("openai-realtime-beta"));
    if (isProblem(scan)) throw new Error(scan.message);
    const prepared = realtimeBetaSession.prepare(version, OPTIONS);
    expect(decoder.decode(realtimeBetaSession.inject(scan, prepared) as Uint8Array)).toBe(
      '{"max_response_output_tokens":5,"temperature":0.2}',
    );
    expect(prepared.settings.pathModel).toBe("m");
  });

  it("takes a voice through provider_params, and says what it cannot take", () => {
    const audio = { output: { voice: "marin" } };
    expect(sessionOf("{}", { providerParams: { "openai-realtime": { audio } } })).toBe(
      `{"audio":${JSON.stringify(audio)}}`,
    );
    const prepared = realtimeSession.prepare(
      renderedWith({ responseFormat: { type: "json_object" } }),
      OPTIONS,
    );
    expect(prepared.settings.refusal).toMatchObject({ field: "response_format" });
  });

  it("gets the version's examples as items of the conversation", () => {
    const examples = [
      { role: "user" as const, content: "q" },
      { role: "assistant" as const, content: "a" },
    ];
    const typesOf = (format: typeof realtimeSession) =>
      format.prepare(renderedWith({ examples }), OPTIONS).examples.map((event) => {
        const { item } = JSON.parse(decoder.decode(event)) as { item: { content: { type: string }[] } };
        return item.content[0]!.type;
      });
    expect(typesOf(realtimeSession)).toEqual(["input_text", "output_text"]);
    expect(typesOf(realtimeBetaSession)).toEqual(["input_text", "text"]);
  });
});

describe("an event of the client", () => {
  it("is known by its type, and by what it says of the session or of one answer", () => {
    expect(eventOf('{"session":{"type":"realtime"},"type":"session.update"}')).toEqual({
      type: "session.update",
      at: { from: 11, to: 30 },
      isTranscription: false,
    });
    expect(eventOf('{"type":"session\\u002eupdate","session":{}}')).toMatchObject({ type: "session.update" });
    expect(eventOf('{"type":"response.create"}')).toBeNull();
    expect(eventOf('{"type":"input_audio_buffer.append","audio":"AAAA"}')).toBeNull();
    expect(eventOf("not json")).toBeNull();
    expect(eventOf('{"type":"session.update","session":{"type":"transcription"}}')).toMatchObject({
      isTranscription: true,
    });
    for (const session of ["7", '{},"session":{}']) {
      expect(eventOf(`{"type":"session.update","session":${session}}`)).toMatchObject({ field: "session" });
    }
    expect(eventOf('{"type":"session.update"}')).toMatchObject({ field: "session" });
  });

  it("keeps its other bytes around another session", () => {
    const event = encoder.encode('{ "event_id":"e" ,"type":"session.update","session":{} ,"n":1.0}');
    const found = readClientEvent(event);
    if (found === null || isProblem(found)) throw new Error("no session.update");
    expect(decoder.decode(replaceObject(event, found, encoder.encode('{"a":1}')))).toBe(
      '{ "event_id":"e" ,"type":"session.update","session":{"a":1} ,"n":1.0}',
    );
    expect(decoder.decode(updateEvent(emptySession("openai-realtime")))).toBe(
      '{"type":"session.update","session":{"type":"realtime"}}',
    );
  });

  it("that comes later is placed against the version where it speaks of the same, and nowhere else", () => {
    const tools = [{ name: "find", parameters: { type: "object" } }];
    const version = { system: "S", tools, params: { max_output_tokens: 5 } };
    const voice =
      '{"type":"session.update","session":{"type":"realtime","audio":{"output":{"voice":"ash"}}}}';
    expect(repeatIn(voice, version)).toBe(voice);
    expect(repeatIn('{"type":"response.create","response":{"instructions":"Now."}}', version)).toBe(
      '{"type":"response.create","response":{"instructions":"S\\n\\nNow."}}',
    );
    expect(
      repeatIn('{"type":"session.update","session":{"tools":[],"max_output_tokens":9}}', {
        ...version,
        placement: "replace",
      }),
    ).toBe(
      '{"type":"session.update","session":{"tools":[{"type":"function","name":"find","parameters":{"type":"object"}}],"max_output_tokens":5}}',
    );
    expect(repeatIn('{"type":"response.create","response":{"instructions":7}}', version)).toMatchObject({
      field: "instructions",
    });
  });
});
