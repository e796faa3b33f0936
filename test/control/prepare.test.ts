// From what is pushed to a closed version: partials of other prompts are read at this moment and become part of it.

import { beforeEach, describe, expect, test } from "vitest";
import type { PreparedPush } from "../../src/control/commands.ts";
import { preparePush } from "../../src/control/prepare.ts";
import type { ControlPort } from "../../src/core/ports.ts";
import { isProblem, problem, type Problem } from "../../src/core/problem.ts";
import type { Content, PromptKind, VersionSummary } from "../../src/core/types.ts";

type Partial = { kind: PromptKind; archived: boolean; versions: { content: Content; revoked: boolean }[] };

/** Other prompts, by name. */
let prompts: Map<string, Partial>;

beforeEach(() => {
  prompts = new Map();
});

function addPartial(
  name: string,
  texts: string[],
  more: { kind?: PromptKind; archived?: boolean } = {},
): Partial {
  const versions = texts.map((text) => ({ content: createContent(text), revoked: false }));
  const partial: Partial = { kind: "partial", archived: false, ...more, versions };
  prompts.set(name, partial);
  return partial;
}

function createContent(text: string): Content {
  return { messages: [{ role: "system", content: text }], placement: "prepend" };
}

function summarise(name: string, versions: Partial["versions"]): VersionSummary[] {
  return versions.map(({ revoked }, index) => ({
    version: index + 1,
    digest: `digest of ${name}@${index + 1}`,
    createdAt: "",
    createdBy: "ada",
    note: "",
    revoked: revoked ? { at: "", by: "ada", reason: "" } : null,
  }));
}

/** The three calls that preparing makes of another prompt's object. */
const controls = {
  getByName(name: string): ControlPort {
    const found = prompts.get(name);
    const missing = problem("prompt_not_found", `There is no prompt "${name}".`);
    const control: Pick<ControlPort, "readPrompt" | "readVersions" | "readVersion"> = {
      readPrompt: async () =>
        found === undefined
          ? missing
          : ({
              name,
              kind: found.kind,
              archivedAt: found.archived ? "2026-11-23T00:00:00.000Z" : null,
            } as never),
      readVersions: async () => (found === undefined ? missing : summarise(name, found.versions)),
      readVersion: async (version) => {
        const summary = summarise(name, found?.versions ?? [])[version - 1];
        if (summary === undefined) return problem("version_not_found", `There is no version ${version}.`);
        return { ...summary, prompt: name, content: found!.versions[version - 1]!.content, partials: [] };
      },
    };
    return control as ControlPort;
  },
};

function prepare(system: string, kind: PromptKind = "prompt"): Promise<PreparedPush | Problem> {
  return preparePush({ system, note: "why" }, kind, controls);
}

async function prepareWell(system: string): Promise<PreparedPush> {
  const prepared = await prepare(system);
  if (isProblem(prepared)) throw new Error(prepared.message);
  return prepared;
}

describe("a pushed content", () => {
  test("becomes a closed one with its compiled form, and keeps its note", async () => {
    const prepared = await prepareWell("You help users of {{product}}.");
    expect(prepared.content).toMatchObject({ note: "why", messages: [{ role: "system" }] });
    expect(prepared.compiled.variables).toHaveProperty("product");
    expect(prepared.partials).toEqual([]);
  });

  test("has one digest, whatever its note and the order of its fields", async () => {
    const one = await preparePush({ system: "Hi.", model: "m", note: "a" }, "prompt", controls);
    const other = await preparePush({ note: "b", model: "m", system: "Hi." }, "prompt", controls);
    const third = await preparePush({ system: "Hi!", model: "m" }, "prompt", controls);
    expect(one).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect((other as PreparedPush).digest).toBe((one as PreparedPush).digest);
    expect((third as PreparedPush).digest).not.toBe((one as PreparedPush).digest);
  });

  test("is refused where it is malformed", async () => {
    for (const content of [null, 7, {}, { system: "{{#open}}" }, { system: "a", colour: "red" }]) {
      expect(await preparePush(content, "prompt", controls)).toMatchObject({ problem: "invalid_request" });
    }
  });
});

describe("a partial", () => {
  test("without a version is the newest one that was not revoked, and is named in the version", async () => {
    const tone = addPartial("tone", ["Be kind.", "Be brief.", "Be rude."]);
    tone.versions[2]!.revoked = true;
    const prepared = await prepareWell("You help. {{> tone}}");
    expect(prepared.content.messages[0]!.content).toBe("You help. Be brief.");
    expect(prepared.partials).toEqual([{ name: "tone", version: 2, digest: "digest of tone@2" }]);
  });

  test("may speak of the element that it is included for; a prompt may not", async () => {
    const prepared = await prepare("- {{.}}\n", "partial");
    expect(prepared).toHaveProperty("digest");
    addPartial("item", ["- {{.}}\n"]);
    const list = await prepareWell("{{#items}}\n{{> item}}\n{{/items}}");
    expect(list.content.messages[0]!.content).toContain("{{.}}");
    expect(await prepare("- {{.}}\n")).toMatchObject({ problem: "invalid_request" });
  });

  test("with a version is that one, beside the newest", async () => {
    addPartial("tone", ["Be kind.", "Be brief."]);
    const prepared = await prepareWell("First {{> tone@1}} Then {{> tone}}");
    expect(prepared.content.messages[0]!.content).toBe("First Be kind. Then Be brief.");
    expect(prepared.partials.map(({ version }) => version)).toEqual([1, 2]);
  });

  test("that says something else later makes another version, and leaves the old one as it is", async () => {
    addPartial("tone", ["Be kind."]);
    const before = await prepareWell("{{> tone}}");
    addPartial("tone", ["Be kind.", "Be brief."]);
    const after = await prepareWell("{{> tone}}");
    expect(after.digest).not.toBe(before.digest);
    expect((await prepareWell("{{> tone@1}}")).digest).toBe(before.digest);
  });

  test("that is not to be had refuses the push, and says which and why", async () => {
    addPartial("prompt", ["Hi."], { kind: "prompt" });
    addPartial("gone", ["Hi."], { archived: true });
    addPartial("empty", []);
    addPartial("revoked", ["Hi."]).versions[0]!.revoked = true;
    const names = ["missing", "prompt", "gone", "empty", "revoked", "revoked@1", "gone@1", "missing@3"];
    for (const name of names) {
      const refused = await prepare(`{{> ${name}}}`);
      expect(refused, name).toMatchObject({ problem: "invalid_request", field: "messages" });
      expect((refused as Problem).message).toContain(`"${name}"`);
    }
    addPartial("tone", ["Be kind."]);
    expect(await prepare("{{> tone@2}}")).toMatchObject({ problem: "invalid_request" });
  });

  test("itself is pushed only if it can be inlined whole", async () => {
    expect(isProblem(await prepare("Be kind.", "partial"))).toBe(false);
    const withModel = { system: "Be kind.", model: "m" };
    expect(await preparePush(withModel, "partial", controls)).toMatchObject({
      problem: "invalid_request",
      field: "model",
    });
  });

  test("is one of a hundred at most", async () => {
    const tags = Array.from({ length: 101 }, (_, index) => `{{> tone-${index}}}`).join(" ");
    expect(await prepare(tags)).toMatchObject({ problem: "invalid_request", field: "messages" });
  });
});
