// Which control plane, and as whom: found without setting anything, and no token ever shown to a stranger.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  findSettings,
  type Settings,
  type SettingsError,
  type SettingsSource,
} from "../../src/cli/settings.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "switchback-settings-"));
});
afterEach(() => rm(root, { recursive: true }));

async function writeLocal(directory: string, content: unknown): Promise<void> {
  await mkdir(join(root, directory, ".switchback"), { recursive: true });
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await writeFile(join(root, directory, ".switchback", "local.json"), text);
}

function find(source: Partial<SettingsSource> & { from?: string } = {}): Settings | SettingsError {
  const { from = "", ...rest } = source;
  return findSettings({
    flags: {},
    variables: {},
    directory: join(root, from),
    packageDirectory: join(root, "package"),
    ...rest,
  });
}

const LOCAL = { url: "http://127.0.0.1:8787", token: "local-token" };

describe("settings", () => {
  it("come from the environment, without a slash at the end", () => {
    const variables = { SWITCHBACK_URL: "https://prompts.example/base/", SWITCHBACK_TOKEN: "t" };
    expect(find({ variables })).toEqual({ url: "https://prompts.example/base", token: "t" });
  });

  it("come from flags before the environment", () => {
    const variables = { SWITCHBACK_URL: "https://one.example", SWITCHBACK_TOKEN: "one" };
    expect(find({ variables, flags: { url: "https://two.example", token: "two" } })).toEqual({
      url: "https://two.example",
      token: "two",
    });
  });

  it("are found by walking up from the working directory, the nearest first", async () => {
    await writeLocal("a", LOCAL);
    await writeLocal("a/b", { ...LOCAL, token: "nearer" });
    await mkdir(join(root, "a/b/c/d"), { recursive: true });
    expect(find({ from: "a/b/c/d" })).toMatchObject({ token: "nearer" });
    expect(find({ from: "a" })).toEqual(LOCAL);
  });

  it("are found in the package's own directory at last", async () => {
    await writeLocal("package", LOCAL);
    await mkdir(join(root, "elsewhere"));
    expect(find({ from: "elsewhere" })).toEqual(LOCAL);
  });

  it("that are nowhere end in a message that says what to set", () => {
    const found = find() as SettingsError;
    expect(found.settingsError).toMatch(/SWITCHBACK_URL.*SWITCHBACK_TOKEN.*npm start/);
  });

  it("that are broken name the file and not what is in it", async () => {
    await writeLocal("", '{"token": "half-a-secr');
    const found = find() as SettingsError;
    expect(found.settingsError).toContain("local.json");
    expect(found.settingsError).not.toContain("half-a-secr");
  });
});

describe("a token", () => {
  it("of the shell never goes to the URL of a file that happens to lie about", async () => {
    await writeLocal("", { url: "https://stranger.example", token: "x" });
    const found = find({ variables: { SWITCHBACK_TOKEN: "production-token" } });
    expect(found).toHaveProperty("settingsError");
    expect(JSON.stringify(found)).not.toContain("production-token");
  });

  it("of the file never goes to another origin that a flag names", async () => {
    await writeLocal("", LOCAL);
    expect(find({ flags: { url: "https://stranger.example" } })).toHaveProperty("settingsError");
    expect(find({ flags: { url: "http://127.0.0.1:8787/" } })).toEqual(LOCAL);
  });

  it.each(["two words", "line\nbreak", "ümlaut", "tab\there"])(
    "that no header can carry is refused without being quoted: %j",
    (token) => {
      const found = find({ flags: { url: "https://one.example", token } });
      expect(found).toHaveProperty("settingsError");
      expect(JSON.stringify(found)).not.toContain(token);
    },
  );
});

describe("a URL", () => {
  it.each(["localhost:8787", "ftp://x.example", "not a url", "https://user:secret@x.example"])(
    "that is none for this is refused, and a password in it is not repeated: %s",
    (url) => {
      const found = find({ flags: { url, token: "t" } });
      expect(found).toHaveProperty("settingsError");
      expect(JSON.stringify(found)).not.toContain("secret@");
    },
  );
});
