// Random request bodies as their bytes could come from any client: every spelling, order, white space, members twice,
// members that nobody knows. Each says which pieces of its text an injection has to leave as they stand.

import type { FormatId } from "../../src/wire/wire.ts";
import { geminiMembers } from "./bodies-gemini.ts";
import { JsonWriter, type Random } from "./random.ts";

export type Body = { text: string; kept: string[] };

export type Member = [string, string];

const ROLES = ["user", "user", "assistant", "system", "developer", "tool"];

export function randomBody(format: FormatId, random: Random): Body {
  const writer = new JsonWriter(random);
  const kept: string[] = [];
  const members = [...commonMembers(writer), ...OWN_MEMBERS[format](writer, kept)];
  const unknown = random.int(3);
  for (let index = 0; index < unknown; index += 1) {
    const value = writer.junk();
    kept.push(value);
    members.push([`x_${index}`, value]);
  }
  writer.shuffle(members);
  return { text: writer.space() + writer.object(members) + writer.space(), kept };
}

export function maybe(writer: JsonWriter, probability: number, name: string, write: () => string): Member[] {
  const { random } = writer;
  if (!random.chance(probability)) return [];
  const members: Member[] = [[name, write()]];
  // Now and then a member stands twice.
  if (random.chance(0.03)) members.push([name, write()]);
  return members;
}

function commonMembers(writer: JsonWriter): Member[] {
  const { random } = writer;
  return [
    ...maybe(writer, 0.8, "model", () => writer.text(random.pick(["gpt-5.4", "claude-sonnet-5", "é"]))),
    ...maybe(writer, 0.3, "stream", () => random.pick(["true", "false"])),
    // Once: of two that contradict each other neither is touched, which no parsed body can tell.
    ...(random.chance(0.15) ? [["stream_options", writeStreamOptions(writer)] satisfies Member] : []),
    ...maybe(writer, 0.3, "temperature", () => writer.number()),
    ...maybe(writer, 0.2, "top_p", () => writer.number()),
    ...maybe(writer, 0.2, "prompt", () => writePrompt(writer)),
    ...maybe(writer, 0.2, "prompt_variables", () => writer.object([["a", writer.junk(1)]])),
    ...maybe(writer, 0.2, "metadata", () => writeMetadata(writer)),
    ...maybe(writer, 0.1, "user", () => writer.text(writer.words())),
    ...maybe(writer, 0.1, "prompt_cache_key", () => writer.text(writer.words())),
    ...maybe(writer, 0.1, "session_id", () => writer.text(writer.words())),
    ...maybe(writer, 0.1, "tool_choice", () => random.pick(['"auto"', '{"type":"any"}', "null"])),
    ...maybe(writer, 0.1, "service_tier", () => '"auto"'),
  ];
}

function writeStreamOptions(writer: JsonWriter): string {
  const { random } = writer;
  if (random.chance(0.2)) return random.pick(["null", "7", "[]"]);
  const said: Member[] = [["include_usage", random.pick(["true", "false", "null"])]];
  return writer.object([
    ...maybe(writer, 0.5, "include_obfuscation", () => "false"),
    ...(random.chance(0.5) ? said : []),
  ]);
}

function writePrompt(writer: JsonWriter): string {
  const { random } = writer;
  return writer.object([
    ["id", writer.text("support-bot")],
    ...maybe(writer, 0.5, "version", () => random.pick(['"3"', "7", "null"])),
    ...maybe(writer, 0.5, "variables", () => random.pick(["null", '{"name":"Ada"}', "{}"])),
  ]);
}

function writeMetadata(writer: JsonWriter): string {
  const ids = [
    "user_1_account_2_session_ab-3",
    '{"device_id":"d","account_uuid":"","session_id":"s"}',
    "u",
    "",
  ];
  return writer.object([
    ...maybe(writer, 0.6, "user_id", () => writer.text(writer.random.pick(ids))),
    ...maybe(writer, 0.2, "session_id", () => writer.text(writer.words())),
    ...maybe(writer, 0.2, "conversation_id", () => writer.random.pick(['"c"', "1", "null"])),
  ]);
}

function writeMessage(writer: JsonWriter, kept: string[]): string {
  const { random } = writer;
  const role = random.pick(ROLES);
  const content = random.chance(0.7) ? writer.text(writer.words()) : writer.array(writeParts(writer));
  const message = writer.object(
    writer.shuffle<Member>([
      ...maybe(writer, 0.97, "role", () => writer.text(role)),
      ["content", content],
      ...maybe(writer, 0.1, "name", () => writer.junk(1)),
    ]),
  );
  if (role === "user" || role === "tool") kept.push(content);
  return message;
}

function writeParts(writer: JsonWriter): string[] {
  const { random } = writer;
  return Array.from({ length: random.int(3) }, () =>
    writer.object([
      ...maybe(writer, 0.9, "type", () => writer.text(random.pick(["text", "input_text", "image_url"]))),
      ...maybe(writer, 0.8, "text", () => writer.text(writer.words())),
      ...maybe(writer, 0.2, "cache_control", () => '{"type":"ephemeral"}'),
    ]),
  );
}

function writeMessages(writer: JsonWriter, kept: string[]): string {
  return writer.array(Array.from({ length: writer.random.int(5) }, () => writeMessage(writer, kept)));
}

function writeItem(writer: JsonWriter, kept: string[]): string {
  const { random } = writer;
  if (random.chance(0.8)) return writeMessage(writer, kept);
  const type = random.pick(["function_call", "reasoning", "item_reference", "message", "additional_tools"]);
  return writer.object([
    ["type", writer.text(type)],
    ["id", writer.junk(1)],
  ]);
}

function writeTools(writer: JsonWriter): string {
  const { random } = writer;
  const tool = () => {
    const name = writer.text(random.pick(["find", "send", "other"]));
    const kind = random.int(4);
    if (kind === 0)
      return writer.object([
        ["type", '"function"'],
        ["function", writer.object([["name", name]])],
      ]);
    if (kind === 1)
      return writer.object([
        ["type", '"custom"'],
        ["custom", writer.object([["name", name]])],
      ]);
    if (kind === 2) return writer.object([["type", writer.text(random.pick(["web_search", "function"]))]]);
    return writer.object([
      ["name", name],
      ["input_schema", "{}"],
    ]);
  };
  return random.chance(0.1) ? "null" : writer.array(Array.from({ length: random.int(4) }, tool));
}

function writeBlocks(writer: JsonWriter): string[] {
  const { random } = writer;
  return Array.from({ length: random.int(3) }, () =>
    random.chance(0.7)
      ? writer.object([["text", writer.text(writer.words())]])
      : random.pick(['{"cachePoint":{"type":"default"}}', '{"guardContent":{"text":{"text":"g"}}}']),
  );
}

function writeToolConfig(writer: JsonWriter): string {
  const { random } = writer;
  if (random.chance(0.1)) return "null";
  const tool = () => {
    if (random.chance(0.2)) return '{"cachePoint":{"type":"default"}}';
    const name = writer.text(random.pick(["find", "send", "other"]));
    const spec = writer.object([
      ["name", name],
      ["inputSchema", '{"json":{"n":1.0}}'],
    ]);
    return writer.object([["toolSpec", spec]]);
  };
  return writer.object([
    ...maybe(writer, 0.8, "tools", () =>
      random.chance(0.1) ? "null" : writer.array(Array.from({ length: random.int(4) }, tool)),
    ),
    ...maybe(writer, 0.5, "toolChoice", () => '{"auto":{}}'),
  ]);
}

function writeSession(writer: JsonWriter): Member[] {
  const { random } = writer;
  return [
    ...maybe(writer, 0.7, "type", () => '"realtime"'),
    ...maybe(writer, 0.5, "instructions", () => (random.chance(0.2) ? "null" : writer.text(writer.words()))),
    ...maybe(writer, 0.3, "max_output_tokens", () => writer.number()),
    ...maybe(writer, 0.3, "max_response_output_tokens", () => '"inf"'),
    ...maybe(writer, 0.2, "reasoning", () => writeNested(writer, ["effort", "other"])),
    ...maybe(writer, 0.3, "tools", () => writeTools(writer)),
    ...maybe(writer, 0.3, "audio", () => writer.junk(2)),
  ];
}

function writeNested(writer: JsonWriter, names: string[]): string {
  const { random } = writer;
  if (random.chance(0.1)) return "null";
  return writer.object(names.flatMap((name) => maybe(writer, 0.5, name, () => writer.junk(1))));
}

const OWN_MEMBERS: { [format in FormatId]: (writer: JsonWriter, kept: string[]) => Member[] } = {
  "openai-chat": (writer, kept) => [
    ...maybe(writer, 0.99, "messages", () => writeMessages(writer, kept)),
    ...maybe(writer, 0.2, "max_tokens", () => writer.number()),
    ...maybe(writer, 0.2, "max_completion_tokens", () => writer.number()),
    ...maybe(writer, 0.1, "reasoning_effort", () => '"low"'),
    ...maybe(writer, 0.1, "reasoning", () => writeNested(writer, ["effort", "max_tokens"])),
    ...maybe(writer, 0.2, "stop", () => '["x"]'),
    ...maybe(writer, 0.2, "tools", () => writeTools(writer)),
    ...maybe(writer, 0.1, "response_format", () => '{"type":"text"}'),
    ...maybe(writer, 0.1, "verbosity", () => '"high"'),
  ],
  "openai-responses": (writer, kept) => [
    ...maybe(writer, 0.9, "input", () =>
      writer.random.chance(0.4)
        ? writer.text(writer.words())
        : writer.array(Array.from({ length: writer.random.int(5) }, () => writeItem(writer, kept))),
    ),
    ...maybe(writer, 0.4, "instructions", () =>
      writer.random.chance(0.2) ? "null" : writer.text(writer.words()),
    ),
    ...maybe(writer, 0.2, "store", () => writer.random.pick(["true", "false", "null", '"false"'])),
    ...maybe(writer, 0.1, "previous_response_id", () => writer.random.pick(['"resp_1"', "null"])),
    ...maybe(writer, 0.1, "conversation", () => writer.random.pick(['"conv_1"', '{"id":"conv_2"}', "null"])),
    ...maybe(writer, 0.2, "max_output_tokens", () => writer.number()),
    ...maybe(writer, 0.2, "text", () => writeNested(writer, ["format", "verbosity", "other"])),
    ...maybe(writer, 0.2, "reasoning", () => writeNested(writer, ["effort", "summary"])),
    ...maybe(writer, 0.2, "tools", () => writeTools(writer)),
  ],
  "anthropic-messages": (writer, kept) => [
    ...maybe(writer, 0.99, "messages", () => writeMessages(writer, kept)),
    ...maybe(writer, 0.5, "system", () => {
      const kind = writer.random.int(5);
      if (kind === 0) return "null";
      return kind < 3 ? writer.text(writer.words()) : writer.array(writeParts(writer));
    }),
    ...maybe(writer, 0.5, "max_tokens", () => writer.number()),
    ...maybe(writer, 0.1, "stop_sequences", () => '["x"]'),
    ...maybe(writer, 0.2, "output_config", () => writeNested(writer, ["effort", "format", "other"])),
    ...maybe(writer, 0.1, "output_format", () => '{"type":"json_schema","schema":{}}'),
    ...maybe(writer, 0.2, "tools", () => writeTools(writer)),
    ...maybe(writer, 0.1, "thinking", () => '{"type":"adaptive"}'),
    ["anthropic_version", '"bedrock-2023-05-31"'],
  ],
  "openai-realtime": (writer) => writeSession(writer),
  "openai-realtime-beta": (writer) => writeSession(writer),
  "bedrock-converse": (writer, kept) => [
    ...maybe(writer, 0.99, "messages", () => writeMessages(writer, kept)),
    ...maybe(writer, 0.5, "system", () =>
      writer.random.chance(0.2) ? "null" : writer.array(writeBlocks(writer)),
    ),
    ...maybe(writer, 0.5, "inferenceConfig", () =>
      writeNested(writer, ["temperature", "topP", "maxTokens", "stopSequences", "other"]),
    ),
    ...maybe(writer, 0.3, "toolConfig", () => writeToolConfig(writer)),
    ...maybe(writer, 0.2, "outputConfig", () => writeNested(writer, ["textFormat", "other"])),
    ...maybe(writer, 0.2, "serviceTier", () => writeNested(writer, ["type"])),
    ...maybe(writer, 0.2, "additionalModelRequestFields", () => writer.junk(2)),
    ...maybe(writer, 0.3, "requestMetadata", () =>
      writer.object([
        ...maybe(writer, 0.5, "session_id", () => writer.text(writer.words())),
        ...maybe(writer, 0.5, "conversationId", () => writer.text(writer.words())),
        ...maybe(writer, 0.5, "userId", () => writer.text(writer.words())),
      ]),
    ),
  ],
  gemini: geminiMembers,
  "workers-ai": (writer, kept) => {
    const chat = OWN_MEMBERS["openai-chat"];
    const text: typeof chat = () => [
      ["prompt", writer.text(writer.words())],
      ["lora", "1.0"],
    ];
    const nothing: typeof chat = () => [["text", writer.junk(1)]];
    const write = writer.random.pick([chat, chat, chat, OWN_MEMBERS["openai-responses"], text, nothing]);
    return [...write(writer, kept), ...maybe(writer, 0.2, "top_k", () => writer.number())];
  },
};
