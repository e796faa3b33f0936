// OpenAI's prompt objects after OpenAI: the official SDK with nothing changed but its base URL, and at the tap in front of
// the provider the request that OpenAI would have run, with no trace of the object. The page that tells people how to
// move is run as it stands.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { runProcess } from "../cli/run.ts";
import { ADMIN_TOKEN } from "../support/cluster.ts";
import { json, sse } from "../support/upstream.ts";
import { completion } from "./sdk-replies.ts";
import { bodyOf, collect, openai, rejection, useRig } from "./sdk-rig.ts";

const rig = useRig();
const ID = "pmpt_68f0aa";
const IMAGE = { type: "input_image", image_url: "https://x.test/a.png", detail: "low" } as const;
const PDF = {
  type: "input_file",
  file_data: "data:application/pdf;base64,JVBER",
  filename: "a.pdf",
} as const;
const RESPONSE = { id: "resp_1", object: "response", status: "completed", output: [] };

const CONTENT = {
  messages: [
    { role: "developer", content: "You sell {{product}}." },
    { role: "user", content: "{{photo}}What is it?{{manual}}" },
    { role: "assistant", content: "A {{product}}." },
  ],
  model: "gpt-5.4-nano",
  params: { temperature: 0.2 },
  defaults: { reasoning_effort: "low", verbosity: "low" },
  tools: [{ name: "find", parameters: { type: "object", properties: {} } }],
  response_format: { type: "json_schema", name: "answer", schema: { type: "object" } },
};

beforeAll(async () => {
  await rig.admin.put("sales", { aliases: [ID] });
  await rig.admin.push("sales", CONTENT);
  await rig.admin.push("sales", { system: "You sell {{product}} gladly.", model: "gpt-5.4" });
});

const client = () => openai(rig.clients.upstream, { prompt: null });
const sent = () => bodyOf(rig.upstream.exchanges().at(-1));
const variables = { product: "bread", photo: IMAGE, manual: PDF };

/** What the version is on Responses, written out by hand. */
const AS_RESPONSE = {
  model: "gpt-5.4-nano",
  instructions: "You sell bread.",
  input: [
    { role: "user", content: [IMAGE, { type: "input_text", text: "What is it?" }, PDF] },
    { role: "assistant", content: "A bread." },
  ],
  temperature: 0.2,
  reasoning: { effort: "low" },
  text: { format: CONTENT.response_format, verbosity: "low" },
  tools: [{ type: "function", name: "find", parameters: { type: "object", properties: {} }, strict: false }],
};

describe("a prompt object on Responses", () => {
  test("runs as it ran, with neither model nor input in the call", async () => {
    rig.upstream.play(json(RESPONSE));
    const { response } = await client()
      .responses.create({ prompt: { id: ID, variables } })
      .withResponse();
    expect(sent()).toEqual(AS_RESPONSE);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "prompt-name": "sales",
      "prompt-version": "1",
      "prompt-arm": "baseline",
      "prompt-reason": "static",
    });
  });

  test("streams as it streamed", async () => {
    const events = ["response.created", "response.completed"].map((type, index) => ({
      event: type,
      data: { type, sequence_number: index, response: RESPONSE },
    }));
    rig.upstream.play(sse(events));
    const stream = await client().responses.create({ prompt: { id: ID, variables }, stream: true });
    expect((await collect(stream)).map(({ type }) => type)).toEqual([
      "response.created",
      "response.completed",
    ]);
    expect(sent()).toEqual({ ...AS_RESPONSE, stream: true });
  });

  test("stands before the call's own input, and is not repeated into a chain", async () => {
    rig.upstream.play(json(RESPONSE));
    const prompt = { id: ID, variables };
    await client().responses.create({ prompt, input: "And this?" });
    expect(sent()).toEqual({
      ...AS_RESPONSE,
      input: [...AS_RESPONSE.input, { role: "user", content: "And this?" }],
    });
    const item = { role: "user" as const, content: [{ type: "input_text" as const, text: "And this?" }] };
    await client().responses.create({ prompt, input: [item] });
    expect(sent()["input"]).toEqual([...AS_RESPONSE.input, item]);
    await client().responses.create({ prompt, input: "And this?", previous_response_id: "resp_1" });
    expect(sent()).toEqual({ ...AS_RESPONSE, input: "And this?", previous_response_id: "resp_1" });
  });

  test("leaves the caller what is the caller's: defaults give way, params do not", async () => {
    rig.upstream.play(json(RESPONSE));
    await client().responses.create({
      prompt: { id: ID, variables },
      model: "gpt-other",
      temperature: 1,
      reasoning: { effort: "high", summary: "auto" },
      text: { verbosity: "high" },
      tools: [{ type: "web_search" }],
      instructions: "Be kind.",
      store: false,
    });
    expect(sent()).toEqual({
      ...AS_RESPONSE,
      instructions: "You sell bread.\n\nBe kind.",
      reasoning: { effort: "high", summary: "auto" },
      text: { format: CONTENT.response_format, verbosity: "high" },
      tools: [...AS_RESPONSE.tools, { type: "web_search" }],
      store: false,
    });
  });

  test("names its version or leaves it to the release", async () => {
    rig.upstream.play(json(RESPONSE));
    for (const version of ["2", 2 as never]) {
      const prompt = { id: ID, version, variables: { product: "bread" } };
      const { response } = await client().responses.create({ prompt }).withResponse();
      expect(response.headers.get("prompt-arm")).toBe("pinned");
      expect(sent()).toEqual({ model: "gpt-5.4", instructions: "You sell bread gladly." });
    }
    await rig.admin.canary("sales", 2, 50, { transition: "now" });
    const versions = new Set<string | null>();
    const deadlineMs = Date.now() + 10_000;
    for (let index = 0; versions.size < 2 && Date.now() < deadlineMs; index += 1) {
      const call = client().responses.create({ prompt: { id: ID, variables }, input: `Call ${index}` });
      const { response } = await call.withResponse();
      if (response.headers.get("prompt-reason") === "split")
        versions.add(response.headers.get("prompt-version"));
    }
    expect(versions).toEqual(new Set(["1", "2"]));
    await rig.admin.rollback("sales", { wait: true });
  }, 30_000);
});

const create = (body: object) => client().chat.completions.create(body as never);

describe("a prompt object on Chat Completions", () => {
  const AS_CHAT = {
    model: "gpt-5.4-nano",
    messages: [
      { role: "system", content: "You sell bread." },
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: IMAGE.image_url, detail: "low" } },
          { type: "text", text: "What is it?" },
          { type: "file", file: { filename: PDF.filename, file_data: PDF.file_data } },
        ],
      },
      { role: "assistant", content: "A bread." },
    ],
    temperature: 0.2,
    reasoning_effort: "low",
    verbosity: "low",
    response_format: {
      type: "json_schema",
      json_schema: { name: "answer", schema: { type: "object" } },
    },
    tools: [{ type: "function", function: CONTENT.tools[0] }],
  };

  test("is the whole conversation, or stands before the call's messages", async () => {
    rig.upstream.play(json(completion));
    await create({ prompt: { id: ID, variables } });
    expect(sent()).toEqual(AS_CHAT);
    const own = { role: "user", content: "And this?" };
    await create({ prompt: { id: ID, variables }, messages: [own] });
    expect(sent()).toEqual({ ...AS_CHAT, messages: [...AS_CHAT.messages, own] });
  });

  test("goes to any provider that speaks it", async () => {
    rig.upstream.play(json(completion));
    const other = new OpenAI({ baseURL: `${rig.clients.upstream.url}/groq/v1`, apiKey: "k" });
    await other.chat.completions.create({ prompt: { id: ID, variables } } as never);
    expect(sent()).toEqual(AS_CHAT);
    rig.upstream.play(json(RESPONSE));
    await other.responses.create({ prompt: { id: ID, variables } });
    expect(sent()).toEqual(AS_RESPONSE);
  });

  test("refuses a part that has no place there, by its variable", async () => {
    const photo = { type: "input_image", file_id: "file-1" };
    const error = await rejection(create({ prompt: { id: ID, variables: { ...variables, photo } } }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: "variable_invalid", param: "prompt.variables.photo" });
    expect(String(error)).toContain("send an image_url");
    expect(rig.upstream.exchanges()).toEqual([]);
  });
});

describe("a prompt object that is wrong", () => {
  test.each([
    ["nobody's id", { id: "pmpt_nobody" }, 404, "prompt_not_found"],
    ["a version that is not there", { id: ID, version: "9" }, 404, "version_not_found"],
    ["a variable that is missing", { id: ID, variables: { photo: IMAGE } }, 400, "variable_missing"],
    [
      "a picture for a text",
      { id: ID, variables: { ...variables, product: IMAGE } },
      400,
      "variable_invalid",
    ],
    ["another name for the id", { promptId: ID }, 400, "invalid_request"],
    ["yet another", { prompt_id: ID }, 400, "invalid_request"],
  ])("is refused before the provider is asked: %s", async (_name, prompt, status, code) => {
    rig.upstream.play(json(RESPONSE));
    const error = await rejection(client().responses.create({ prompt: prompt as never }));
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ status, code });
    expect(rig.upstream.exchanges()).toEqual([]);
  });
});

/** The code block behind a mark of the page's. */
function pieceOf(page: string, mark: string): string {
  const [, piece] = new RegExp(`<!-- ${mark} -->\\n\\n\`\`\`\\w+\\n([^]*?)\`\`\``).exec(page) ?? [];
  if (piece === undefined) throw new Error(`nothing stands behind <!-- ${mark} -->`);
  return piece;
}

describe("docs/openai-prompts.md", () => {
  test("says what happens: its commands, its call, and what the provider gets", async () => {
    const page = await readFile(join(import.meta.dirname, "../../docs/openai-prompts.md"), "utf8");
    const directory = await mkdtemp(join(tmpdir(), "switchback-docs-"));
    const [, file = ""] = /<!-- file: (\S+) -->/.exec(page) ?? [];
    await writeFile(join(directory, file), pieceOf(page, `file: ${file}`));
    const settings = { SWITCHBACK_URL: rig.cluster.control.url, SWITCHBACK_TOKEN: ADMIN_TOKEN };
    const render = [...page.matchAll(/`npx switchback (render [^`]+)`/g)].map(([, line = ""]) => line);
    const commands = pieceOf(page, "commands")
      .trim()
      .split("\n")
      .map((line) => line.replace("npx switchback ", ""));
    expect([commands.length, render.length]).toEqual([2, 1]);
    for (const line of commands) {
      const result = await runProcess(line.split(" "), { directory, variables: settings });
      expect(result, line).toMatchObject({ code: 0, error: "" });
    }
    const shown = await runProcess(render[0]!.split(" "), {
      directory,
      variables: settings,
    });
    expect(shown).toMatchObject({ code: 0 });
    rig.upstream.play(json(RESPONSE));
    const call = pieceOf(page, "call").replace("https://proxy.example.com", rig.clients.upstream.url);
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (sdk: unknown) => Promise<void>;
    await new AsyncFunction("OpenAI", call)(
      class extends OpenAI {
        constructor(options: object) {
          super({ apiKey: "sk-client", ...options });
        }
      },
    );
    expect(sent()).toEqual(JSON.parse(pieceOf(page, "sent")));
    await rm(directory, { recursive: true });
  });
});
