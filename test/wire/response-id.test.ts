// The id at the top of a Responses answer, however its bytes are cut: found as soon as it is there, and never another
// one's.

import { describe, expect, it } from "vitest";
import { findResponseId } from "../../src/wire/response-id.ts";

const ANSWER = {
  "a whole answer": '{"id":"resp_1","object":"response","output":[{"id":"msg_1"}]}',
  "one that is printed in lines": '{\n  "id": "resp_1",\n  "object": "response"\n}\n',
  "one with its id at the end":
    '{"output":[{"id":"msg_1","x":"}\\""}],"conversation":{"id":"c"},"n":1.5e3,"b":true,"id":"resp_1"}',
  "a stream":
    'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","object":"response"}}\n\n',
  "a stream with CRLF": 'event: response.created\r\ndata:{"type":"x","response":{"id":"resp_1"}}\r\n\r\n',
  "a stream with another order":
    'data: {"response":{"instructions":"say \\"id\\":\\"no\\"","tools":[{"id":"t"}],"id":"resp_1"},"type":"x"}\n\n',
  "a stream that begins with something else":
    ': comment {"id":"no"}\n\nevent: ping\ndata: {"type":"ping","id":"no"}\n\ndata: [DONE]\n\ndata: {"response":{"id":"resp_1"}}\n\n',
};

describe("the id of a response", () => {
  it.each(Object.entries(ANSWER))("is found in %s, wherever that is cut", (_name, text) => {
    const whole = findResponseId(text);
    expect(whole).toEqual({ id: "resp_1" });
    const isThereFrom = text.indexOf('"resp_1"') + '"resp_1"'.length;
    for (let cut = 0; cut <= text.length; cut += 1) {
      const found = findResponseId(text.slice(0, cut));
      expect(found).toEqual(cut < isThereFrom ? "more" : whole);
    }
  });

  it("is none where the answer has none in its place", () => {
    for (const text of [
      "{}",
      '{ "error":{"id":"no"} }',
      '{"id":7}',
      '{"id":null}',
      '{"id":""}',
      '{"id":"a\\u0041"}',
    ]) {
      expect(findResponseId(text)).toBeNull();
    }
    expect(findResponseId(`{"id":"${"x".repeat(600)}"}`)).toBeNull();
    expect(findResponseId('data: {"type":"error","code":"x"}\n\n')).toBe("more");
    expect(findResponseId("<html>")).toBe("more");
  });

  it("is looked for in time, whatever the bytes are", () => {
    for (const piece of ['"', "\\", "{", "[", '{"a":', 'data: {"', "data: {}\n"]) {
      const text = piece.repeat((64 * 1024) / piece.length);
      const beganMs = performance.now();
      for (const head of ["", "{", 'data: {"response":']) findResponseId(head + text);
      expect(performance.now() - beganMs).toBeLessThan(500);
    }
  });
});
