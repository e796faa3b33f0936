import { describe, expect, it } from "vitest";
import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";
import { inject, scanText, tryInject } from "./injecting.ts";

const RUN = "workers-ai";

describeFormat({
  format: FORMATS[RUN],
  smallest: '{"messages":[{"role":"user","content":"hi"}]}',
  counts: false,
  modelInPath: true,
});

describe("a body of the run endpoint", () => {
  const version = { system: "S", params: { max_output_tokens: 5, top_k: 3 } };

  it("with messages is a chat", () => {
    const messages = '"messages":[{"role":"user","content":"hi"}]';
    expect(inject(RUN, `{"raw":1.0,${messages}}`, version, { provider: RUN })).toBe(
      '{"max_tokens":5,"top_k":3,"raw":1.0,"messages":[{"role":"system","content":"S"},{"role":"user","content":"hi"}]}',
    );
    const responseFormat = { type: "json_schema", name: "n", schema: { type: "object" } };
    expect(inject(RUN, `{${messages}}`, { responseFormat })).toContain(
      '"response_format":{"type":"json_schema","json_schema":{"type":"object"}}',
    );
  });

  it("with an input is a Responses request", () => {
    expect(inject(RUN, '{"input":"hi"}', version)).toBe(
      '{"max_output_tokens":5,"instructions":"S","input":"hi"}',
    );
    expect(scanText(RUN, '{"input":"hi","previous_response_id":"r"}').previousResponse).toBe("r");
  });

  it("with a bare prompt can take nothing, and says what to send instead", () => {
    const refused = tryInject(RUN, '{"prompt":"hi"}', version);
    expect(refused).toMatchObject({ problem: "invalid_request", field: "prompt" });
    expect(refused).toMatchObject({ message: expect.stringContaining("Send messages") as string });
  });

  it("that only names a prompt runs the version's own messages", () => {
    expect(inject(RUN, '{"prompt":{"id":"bot"}}', version, { provider: RUN })).toBe(
      '{"max_tokens":5,"top_k":3,"messages":[{"role":"system","content":"S"}]}',
    );
  });

  it.each(['{"text":["a"]}', '{"queries":"q"}', "{}", "RIFF\u0000", "", "[1]"])(
    "that is no conversation passes: %j",
    (text) => {
      expect(scanText(RUN, text).passes).toBe(true);
      expect(inject(RUN, text, version)).toBe(text);
    },
  );
});
