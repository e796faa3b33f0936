// Random bodies of Gemini's: both spellings of every name, lists and the single items that may stand in their place.

import { maybe, type Member } from "./bodies.ts";
import type { JsonWriter } from "./random.ts";

export function geminiMembers(writer: JsonWriter, kept: string[]): Member[] {
  const request = requestMembers(writer, kept);
  if (!writer.random.chance(0.1)) return request;
  const isLabelled = writer.random.chance(0.7);
  const model: Member[] = isLabelled ? [["model", '"models/gemini-3"']] : [];
  return [[either(writer, "generateContentRequest"), writer.object(writer.shuffle([...request, ...model]))]];
}

function requestMembers(writer: JsonWriter, kept: string[]): Member[] {
  const { random } = writer;
  return [
    ...maybe(writer, 0.98, "contents", () => writeContents(writer, kept)),
    ...maybe(writer, 0.5, either(writer, "systemInstruction"), () => writeSystem(writer)),
    ...maybe(writer, 0.4, either(writer, "generationConfig"), () => writeConfig(writer)),
    ...maybe(writer, 0.3, "tools", () => writeTools(writer)),
    ...maybe(writer, 0.2, either(writer, "toolConfig"), () =>
      writer.object([
        ...maybe(writer, 0.5, either(writer, "functionCallingConfig"), () => '{"mode":"AUTO"}'),
        ...maybe(writer, 0.5, "retrievalConfig", () => writer.junk(1)),
      ]),
    ),
    ...maybe(writer, 0.05, either(writer, "cachedContent"), () =>
      random.pick(['"cachedContents/c"', "null", '""']),
    ),
    ...maybe(writer, 0.2, "labels", () =>
      writer.object([
        ...maybe(writer, 0.5, "session_id", () => writer.text(writer.words())),
        ...maybe(writer, 0.5, "user_id", () => writer.text(writer.words())),
      ]),
    ),
    ...maybe(writer, 0.2, either(writer, "safetySettings"), () => "[ ]"),
  ];
}

/** The name in one of its spellings. */
function either(writer: JsonWriter, camel: string): string {
  if (writer.random.chance(0.7)) return camel;
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function listOf(writer: JsonWriter, write: () => string, most = 4): string {
  const items = Array.from({ length: writer.random.int(most) }, write);
  return items.length === 1 && writer.random.chance(0.3) ? items[0]! : writer.array(items);
}

function writeContents(writer: JsonWriter, kept: string[]): string {
  if (writer.random.chance(0.01)) return writer.random.pick(["null", '"text"']);
  return listOf(writer, () => writeContent(writer, kept), 5);
}

function writeContent(writer: JsonWriter, kept: string[]): string {
  const { random } = writer;
  const parts = listOf(writer, () => writePart(writer), 3);
  kept.push(parts);
  return writer.object(
    writer.shuffle<Member>([
      ...maybe(writer, 0.8, "role", () => writer.text(random.pick(["user", "user", "model", "function"]))),
      ["parts", parts],
    ]),
  );
}

function writePart(writer: JsonWriter): string {
  return writer.object([
    ...maybe(writer, 0.8, "text", () => writer.text(writer.words())),
    ...maybe(writer, 0.2, "inlineData", () => '{"mimeType":"image/png","data":"iVBOR"}'),
  ]);
}

function writeSystem(writer: JsonWriter): string {
  const { random } = writer;
  const kind = random.int(8);
  if (kind === 0) return "null";
  if (kind === 1) return writer.text(writer.words());
  const parts = () => (random.chance(0.1) ? "null" : listOf(writer, () => writePart(writer), 3));
  return writer.object([
    ...maybe(writer, 0.3, "role", () => '"system"'),
    ...maybe(writer, 0.9, "parts", parts),
  ]);
}

const CONFIG = [
  "temperature",
  "topP",
  "maxOutputTokens",
  "stopSequences",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "presencePenalty",
];

function writeConfig(writer: JsonWriter): string {
  const { random } = writer;
  if (random.chance(0.05)) return random.pick(["null", "5"]);
  const thinking = () =>
    random.chance(0.1)
      ? "null"
      : writer.object(
          ["thinkingLevel", "thinkingBudget", "includeThoughts"].flatMap((name) =>
            maybe(writer, 0.4, either(writer, name), () => writer.junk(1)),
          ),
        );
  return writer.object(
    writer.shuffle<Member>([
      ...CONFIG.flatMap((name) => maybe(writer, 0.25, either(writer, name), () => writer.junk(1))),
      ...maybe(writer, 0.3, either(writer, "thinkingConfig"), thinking),
    ]),
  );
}

function writeTools(writer: JsonWriter): string {
  const { random } = writer;
  const declaration = () =>
    writer.object([
      ["name", writer.text(random.pick(["find", "send", "other"]))],
      ...maybe(writer, 0.3, "parameters", () => writer.junk(1)),
    ]);
  const tool = () =>
    writer.object([
      ...maybe(writer, 0.6, either(writer, "functionDeclarations"), () =>
        random.chance(0.05) ? "null" : listOf(writer, declaration),
      ),
      ...maybe(writer, 0.3, either(writer, "googleSearch"), () => "{}"),
      ...maybe(writer, 0.2, either(writer, "webSearch"), () => "{ }"),
    ]);
  return random.chance(0.1) ? "null" : listOf(writer, tool);
}
