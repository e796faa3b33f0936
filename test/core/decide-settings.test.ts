// PUT, push and archive: what exists, what is refused, and that settings never move traffic.

import { describe, expect, it } from "vitest";
import { aliasSchema, parsePutPrompt } from "../../src/core/prompt-settings.ts";
import { viewRelease } from "../../src/core/release-view.ts";
import { JUDGE_DEFAULTS } from "../../src/core/watch-settings.ts";
import { command, Life, lifeWith, START_MS } from "./decide-support.ts";

function archived(): Life {
  const life = lifeWith(2);
  life.do(command.canary(2, 10), command.archive("superseded"));
  return life;
}

describe("a prompt", () => {
  it("is created by a PUT, with defaults for what is left out", () => {
    const life = new Life();
    expect(
      life.do(command.put({ description: "d", tags: ["a", "a"], aliases: ["pmpt_1", "pmpt_1"] })),
    ).toEqual({
      kind: "prompt",
    });
    expect(life.state).toEqual({
      prompt: {
        name: "support-bot",
        kind: "prompt",
        description: "d",
        owner: "",
        tags: ["a"],
        aliases: ["pmpt_1"],
        unit: "conversation",
        shield: true,
        agents: "append",
        createdAt: new Date(START_MS + 1000).toISOString(),
        updatedAt: new Date(START_MS + 1000).toISOString(),
        updatedBy: "ada",
        archivedAt: null,
        latestVersion: 0,
      },
      versions: [],
      releases: {},
    });
  });

  it("that does not exist answers every other command with prompt_not_found", () => {
    const inputs = [
      command.push("d"),
      command.archive(),
      command.canary(1, 1),
      command.promote(1),
      command.rollback(),
      command.revoke(1),
    ];
    for (const input of inputs) expect(new Life().refused(input).problem).toBe("prompt_not_found");
  });

  it("without a version has no release to change", () => {
    for (const input of [command.canary(1, 1), command.promote(), command.rollback(), command.revoke(1)]) {
      expect(lifeWith(0).refused(input).problem).toBe("version_not_found");
    }
    expect(viewRelease(lifeWith(0).state!, "production")).toMatchObject({ problem: "version_not_found" });
  });

  it("keeps the settings that a PUT does not name, and an empty PUT changes nothing", () => {
    const life = new Life();
    life.do(
      command.put({ owner: "team", tags: ["x"], kind: "partial" }),
      command.put({ description: "new" }),
    );
    expect(life.state!.prompt).toMatchObject({
      owner: "team",
      tags: ["x"],
      kind: "partial",
      description: "new",
    });
    const before = life.state;
    life.do(command.put({}), command.put({ owner: "team" }));
    expect(life.state).toBe(before);
  });

  describe("'s judge", () => {
    const judge = { ...JUDGE_DEFAULTS, prompt: "answer-judge", provider: "openai" };

    it("is carried by every release from its next revision on, until it is turned off", () => {
      const life = lifeWith(2);
      life.do(command.canary(2, 10));
      life.do(command.put({ judge }));
      expect(life.state!.prompt.judge).toEqual(judge);
      expect(life.release()).toMatchObject({ revision: 3, judge });
      life.do(command.rollback());
      expect(life.release()).toMatchObject({ revision: 4, judge });
      const before = life.state;
      life.do(command.put({ judge: { ...judge } }), command.put({ owner: "" }));
      expect(life.state).toBe(before);
      life.do(command.put({ judge: null }));
      expect(life.state!.prompt).not.toHaveProperty("judge");
      expect(life.release()).not.toHaveProperty("judge");
      life.do(command.put({ judge: null }));
      expect(life.release().revision).toBe(5);
    });

    it("moves nobody: the tables stay as they are", () => {
      const life = lifeWith(2);
      life.do(command.canary(2, 10));
      const { table } = life.release();
      life.do(command.put({ judge }));
      expect(life.release().table).toEqual(table);
    });

    it("is not the prompt itself, by no name", () => {
      const life = lifeWith(1);
      life.do(command.put({ aliases: ["pmpt_1"] }));
      for (const prompt of ["support-bot", "pmpt_1"]) {
        const refused = life.refused(command.put({ judge: { ...judge, prompt } }));
        expect(refused).toMatchObject({ problem: "invalid_request", field: "judge.prompt" });
        expect(refused.message).toMatch(/the prompt itself/);
      }
      life.do(command.put({ judge }));
      expect(life.refused(command.put({ aliases: ["answer-judge"] })).field).toBe("judge.prompt");
    });

    it("takes what is left out from the defaults, and nothing that makes no sense", () => {
      const brief = { prompt: "answer-judge", provider: "openai" };
      expect(parsePutPrompt({ judge: brief })).toEqual({ judge });
      for (const wrong of [
        {},
        { sample: 2 },
        { maxBytes: 10 },
        { concurrency: 0 },
        { maxUsdPerDay: -1 },
        { x: 1 },
      ]) {
        const input = { judge: Object.keys(wrong).length === 0 ? wrong : { ...brief, ...wrong } };
        expect(parsePutPrompt(input), JSON.stringify(wrong)).toMatchObject({ problem: "invalid_request" });
      }
    });
  });

  it.each(["-a", "_a", "a b", "", "a/b", "é", "x".repeat(129)])("refuses %j as an alias", (alias) => {
    expect(new Life().refused(command.put({ aliases: ["fine", alias] }))).toMatchObject({
      problem: "invalid_request",
      field: "aliases",
    });
  });

  it.each(["pmpt_68", "Gpt.Prompt-1", "a.b", "9", "x".repeat(128)])(
    "takes %j as an alias, as the API does",
    (alias) => {
      expect(aliasSchema.safeParse(alias).success).toBe(true);
      const life = new Life();
      life.do(command.put({ aliases: [alias] }));
      expect(life.state!.prompt.aliases).toEqual([alias]);
    },
  );

  it.each(["", "A", "-a", "a b", "x".repeat(64)])("refuses %j as a name", (name) => {
    const refused = new Life().refused({ type: "put", name, settings: {} });
    expect(refused).toMatchObject({ problem: "invalid_request", field: "prompt" });
  });

  it("changes its kind only before the first version", () => {
    const life = lifeWith(0);
    life.do(command.put({ kind: "partial" }), command.push("one"));
    expect(life.refused(command.put({ kind: "prompt" }))).toMatchObject({
      problem: "conflict",
      field: "kind",
    });
    life.do(command.put({ kind: "partial", owner: "same kind is fine" }));
  });
});

describe("the unit", () => {
  it("reaches every environment by a settings revision, and moves no bucket", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 10), command.canary(2, 20, { environment: "staging" }));
    const tables = [life.release().table, life.release("staging").table];
    life.do(command.put({ unit: "user" }));
    expect([life.release().table, life.release("staging").table]).toEqual(tables);
    expect([life.release().unit, life.release("staging").unit]).toEqual(["user", "user"]);
    expect(life.history.slice(-2).map((row) => [row.environment, row.action, row.revision])).toEqual([
      ["production", "settings", 3],
      ["staging", "settings", 2],
    ]);
    const rows = life.history.length;
    life.do(command.put({ unit: "user", description: "no release needs to know" }));
    expect(life.history).toHaveLength(rows);
  });
});

describe("shield and agents", () => {
  it("reach every release, and stand in it only where they are not as usual", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5, { environment: "staging" }));
    life.do(command.put({ shield: false, agents: "off" }));
    for (const environment of ["production", "staging"]) {
      expect(life.release(environment)).toMatchObject({ revision: 2, shield: false, agents: "off" });
    }
    life.do(command.promote(2));
    expect(life.release()).toMatchObject({ baseline: 2, shield: false, agents: "off" });
    life.do(command.put({ shield: true }), command.put({ agents: "append" }));
    expect(life.release()).not.toHaveProperty("shield");
    expect(life.release()).not.toHaveProperty("agents");
    expect(life.release().revision).toBe(5);
    expect(life.release("staging").revision).toBe(4);
  });

  it("that a prompt of old does not have read as on and append, and saying so makes no revision", () => {
    const life = lifeWith(2);
    const { shield: _, agents: __, ...old } = life.state!.prompt;
    life.state = { ...life.state!, prompt: old };
    const before = life.state;
    life.do(command.put({ shield: true, agents: "append" }));
    expect(life.state).toBe(before);
    life.do(command.put({ shield: false }));
    expect(life.state.prompt).toMatchObject({ shield: false, agents: "append" });
    expect(life.release()).toMatchObject({ revision: 2, shield: false });
  });
});

describe("a push", () => {
  it("numbers versions, and makes the first one production's baseline at revision 1", () => {
    const life = lifeWith(0);
    expect(life.do(command.push("aaa", "first"))).toEqual({
      kind: "push",
      version: 1,
      digest: "aaa",
      created: true,
    });
    expect(life.release()).toEqual({
      schema: 1,
      prompt: "support-bot",
      environment: "production",
      revision: 1,
      unit: "conversation",
      baseline: 1,
      arms: [{ version: 1, weight: 100 }],
      table: { revision: 1, salt: "support-bot:production:1", slots: [{ version: 1, from: 0, to: 10_000 }] },
      drains: [],
      revoked: [],
      changedAt: new Date(life.nowMs).toISOString(),
    });
    expect(life.history).toMatchObject([{ revision: 1, action: "push", reason: "first", before: null }]);
    const release = life.release();
    expect(life.do(command.push("bbb"))).toMatchObject({ version: 2, created: true });
    expect(life.release()).toBe(release);
    expect(life.state!.prompt.latestVersion).toBe(2);
  });

  it("of the same content answers the old number and changes nothing", () => {
    const life = lifeWith(3);
    const before = life.state;
    expect(life.do(command.push("digest-2", "another note"))).toEqual({
      kind: "push",
      version: 2,
      digest: "digest-2",
      created: false,
    });
    expect(life.state).toBe(before);
    expect(life.history).toHaveLength(1);
  });

  it("never brings a revoked content back", () => {
    const life = lifeWith(3);
    life.do(command.revoke(3));
    expect(life.refused(command.push("digest-3"))).toMatchObject({ problem: "version_revoked" });
    expect(life.do(command.push("digest-4"))).toMatchObject({ version: 4 });
  });

  it("of a partial works the same way", () => {
    const life = new Life();
    life.do(command.put({ kind: "partial" }), command.push("p"));
    expect(life.release()).toMatchObject({ revision: 1, baseline: 1 });
  });
});

describe("an archived prompt", () => {
  it("says so in the log, with the reason, and routes as before", () => {
    const life = archived();
    expect(life.state!.prompt.archivedAt).toBe(new Date(life.nowMs).toISOString());
    expect(life.history.at(-1)).toMatchObject({ action: "archive", reason: "superseded", revision: 3 });
    expect(life.release().table.revision).toBe(2);
  });

  it("refuses every command but a PUT", () => {
    const inputs = [
      command.push("d"),
      command.archive(),
      command.canary(1, 1),
      command.promote(1),
      command.rollback(),
      command.revoke(1),
    ];
    for (const input of inputs) expect(archived().refused(input).problem).toBe("conflict");
  });

  it("is restored by a PUT, unit change included, in one revision", () => {
    const life = archived();
    life.do(command.put({ unit: "user" }));
    expect(life.state!.prompt.archivedAt).toBeNull();
    expect(life.history.at(-1)).toMatchObject({ action: "restore", revision: 4, after: { unit: "user" } });
    expect(life.release().arms).toEqual([
      { version: 1, weight: 90 },
      { version: 2, weight: 10 },
    ]);
  });

  it("without a version is archived and restored without a log", () => {
    const life = lifeWith(0);
    life.do(command.archive());
    expect(life.state!.prompt.archivedAt).not.toBeNull();
    life.do(command.put());
    expect(life.state!.prompt.archivedAt).toBeNull();
    expect(life.history).toEqual([]);
  });
});
