// A picture or a file of a variable's, in the words of each wire format, and the refusal where a format has none.

import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import type { FormatId } from "../../src/wire/wire.ts";
import { inject, tryInject } from "./injecting.ts";
import { MEDIA, renderedWith } from "./versions.ts";

const EMPTY = {
  "openai-chat": '{"messages":[]}',
  "openai-responses": "{}",
  "anthropic-messages": '{"messages":[]}',
};

function contentIn(format: FormatId, name: string): unknown {
  const media = MEDIA[name]!;
  const examples = [{ role: "user" as const, content: [{ kind: "text" as const, text: "See" }, media] }];
  const out = tryInject(format, EMPTY[format as keyof typeof EMPTY], { examples });
  if (isProblem(out)) return out;
  const body = JSON.parse(out) as { [list: string]: { content: unknown }[] };
  return (body["messages"] ?? body["input"])?.[0]?.content;
}

describe("a user message with a picture or a file", () => {
  it("is what the caller sent, for Responses", () => {
    for (const [name, { sent }] of Object.entries(MEDIA)) {
      expect(contentIn("openai-responses", name)).toEqual([{ type: "input_text", text: "See" }, sent]);
    }
  });

  it.each([
    ["image", { type: "image_url", image_url: { url: "https://x.test/a.png" } }],
    ["detailed", { type: "image_url", image_url: { url: "data:image/png;base64,iVBOR", detail: "low" } }],
    ["pdf", { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBER" } }],
    ["bare", { type: "file", file: { file_data: "YSxi" } }],
    ["fileId", { type: "file", file: { file_id: "file-2" } }],
  ])("has %s in the words of Chat Completions", (name, part) => {
    expect(contentIn("openai-chat", name)).toEqual([{ type: "text", text: "See" }, part]);
  });

  it.each([
    ["image", { type: "image", source: { type: "url", url: "https://x.test/a.png" } }],
    ["detailed", { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBOR" } }],
    ["imageId", { type: "image", source: { type: "file", file_id: "file-1" } }],
    [
      "pdf",
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBER" },
        title: "a.pdf",
      },
    ],
    ["fileUrl", { type: "document", source: { type: "url", url: "https://x.test/a.pdf" } }],
    ["fileId", { type: "document", source: { type: "file", file_id: "file-2" } }],
  ])("has %s in the words of Anthropic", (name, part) => {
    expect(contentIn("anthropic-messages", name)).toEqual([{ type: "text", text: "See" }, part]);
  });

  it.each([
    ["openai-chat", "imageId", "send an image_url"],
    ["openai-chat", "fileUrl", "send file_data or a file_id"],
    ["anthropic-messages", "sheet", "send a PDF"],
    ["anthropic-messages", "bare", "send a data URL"],
  ] as const)("is refused by %s for %s, naming the variable and the mend", (format, name, mend) => {
    const refused = contentIn(format, name);
    expect(refused).toMatchObject({ problem: "variable_invalid", field: "prompt.variables.photo" });
    expect((refused as { message: string }).message).toContain(mend);
  });

  it("that is refused spoils no other request of the same version", () => {
    const params = {};
    const content = [MEDIA["imageId"]!];
    const spoilt = renderedWith({ params, examples: [{ role: "user", content }] });
    expect(tryInject("openai-chat", "{}", spoilt)).toMatchObject({ problem: "variable_invalid" });
    expect(inject("openai-chat", "{}", renderedWith({ params, system: "S" }))).toContain('"S"');
  });

  it("goes into every format, or is refused by all that it names", () => {
    for (const format of Object.keys(FORMATS) as FormatId[]) {
      for (const media of Object.values(MEDIA)) {
        const examples = [{ role: "user" as const, content: [media] }];
        const prepared = FORMATS[format].prepare(renderedWith({ examples }), { provider: "x", count: false });
        const { refusal } = prepared.settings;
        if (refusal !== null) expect(refusal).toMatchObject({ field: "prompt.variables.photo" });
      }
    }
  });
});
