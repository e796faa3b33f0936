// Somebody at a terminal: what is asked and what never is, the countdown, and the live view.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { problemBody, startFakeControl, type FakeControl } from "./fake-control.ts";
import { createPerson, runAs, type Person, type PersonOptions } from "./run.ts";
import { metrics, release, rollback } from "./samples.ts";

let control: FakeControl;
beforeAll(async () => {
  control = await startFakeControl();
});
afterAll(() => control.stop());
beforeEach(() => control.reset());

function person(options: Partial<PersonOptions> = {}): Person {
  return createPerson({ url: control.url, ...options });
}

const ASKED = [
  ["canary", "support-bot", "3", "50%"],
  ["promote", "support-bot"],
  ["ramp", "support-bot", "3"],
  ["revoke", "support-bot", "3", "-m", "leaks"],
  ["archive", "support-bot"],
];

describe("a question", () => {
  it.each(ASKED.map((argv) => [argv]))(
    "comes before %j, and a no changes nothing and ends with 1",
    async (argv) => {
      const reader = person({ answers: [false] });
      expect(await runAs(reader, argv)).toBe(1);
      expect(reader.questions).toHaveLength(1);
      expect(reader.questions[0]).toContain("support-bot");
      expect(control.seen.filter((one) => one.method !== "GET")).toEqual([]);
      expect(reader.error()).toContain("Nothing has been changed");
    },
  );

  it.each(ASKED.map((argv) => [argv]))("before %j that is answered with yes lets it happen", async (argv) => {
    expect(await runAs(person({ answers: [true] }), argv)).toBe(0);
    expect(control.seen.filter((one) => one.method !== "GET")).toHaveLength(1);
  });

  it.each(ASKED.map((argv) => [argv]))("is not asked before %j --yes", async (argv) => {
    const reader = person();
    expect(await runAs(reader, [...argv, "--yes"])).toBe(0);
    expect(reader.questions).toEqual([]);
  });

  it("says from what to what", async () => {
    const reader = person({ answers: [true, true] });
    await runAs(reader, ["canary", "support-bot", "3", "60%"]);
    await runAs(reader, ["promote", "support-bot"]);
    expect(reader.questions[0]).toMatch(/v3 60 % .*now 5 %/);
    expect(reader.questions[1]).toMatch(/v3 the baseline .*now v2/);
  });

  it("is asked under --json, too, where somebody is there", async () => {
    const reader = person({ answers: [true] });
    expect(await runAs(reader, ["promote", "support-bot", "--json"])).toBe(0);
    expect(reader.questions).toHaveLength(1);
    expect(control.calls("promote")[0]?.headers["if-match"]).toBe('"7"');
  });

  it("never delays a small canary or a rollback, whatever the options", async () => {
    const reader = person();
    expect(await runAs(reader, ["canary", "support-bot", "3", "49.99%"])).toBe(0);
    for (const more of [[], ["--to", "1"], ["--mode", "drain"], ["-e", "staging"], ["--wait"]]) {
      expect(await runAs(reader, ["rollback", "support-bot", ...more])).toBe(0);
    }
    expect(reader.questions).toEqual([]);
  });
});

describe("rollback --wait", () => {
  it("counts down exactly the server's own span, and only then says that it is enforced", async () => {
    let waitedMs = 0;
    const reader = person({ onSleep: (ms) => void (waitedMs += ms) });
    expect(await runAs(reader, ["rollback", "support-bot", "--wait"])).toBe(0);
    expect(waitedMs).toBe(Date.parse(rollback.enforcedBy) - Date.parse(rollback.committedAt));
    const seconds = reader.progress.flatMap((line) => /in (\d\.\d) s/.exec(line)?.[1] ?? []).map(Number);
    expect(seconds[0]).toBe(2);
    expect(seconds.at(-1)).toBe(0.1);
    expect(seconds).toEqual(seconds.toSorted((one, other) => other - one));
    expect(reader.progress.at(-1)).toBe("");
    expect(reader.out()).toContain("enforced everywhere (since 12:00:05.123Z)");
  });

  it("without --wait does not wait and does not claim it", async () => {
    const reader = person({ onSleep: () => expect.unreachable() });
    await runAs(reader, ["rollback", "support-bot"]);
    expect(reader.out()).toContain("enforced everywhere in 2.0 s");
  });
});

function requests(count: number) {
  const counted = { ...metrics.versions[1]!, requests: count, errors: 0 };
  return { status: 200, body: { ...metrics, versions: [counted] } };
}

describe("watch", () => {
  it("redraws release, counters and rates each second, and Ctrl-C ends it with 0 and the old screen", async () => {
    control.script("getMetrics", requests(100), requests(130));
    const waits: number[] = [];
    const reader = person({
      onSleep(ms, count) {
        waits.push(ms);
        if (count === 2) reader.interrupt();
      },
    });
    expect(await runAs(reader, ["watch", "support-bot"])).toBe(0);
    expect(waits).toEqual([1000, 1000]);
    const frames = reader.out().split("\u001b[H").slice(1);
    expect(frames).toHaveLength(2);
    expect(frames[0]).toMatch(/v3 .* 100 /);
    expect(frames[0]).not.toContain("PER SECOND");
    expect(frames[1]).toMatch(/v3 .* 130 +30\.0 /);
    expect(reader.out().startsWith("\u001b[?1049h")).toBe(true);
    expect(reader.out().endsWith("\u001b[?1049l")).toBe(true);
  });

  it("keeps the last picture and says so when the control plane goes away, and goes on when it is back", async () => {
    const reader = person({
      onSleep(ms, count) {
        if (ms === 1000 && reader.out().includes("unauthenticated") && count > 2) reader.interrupt();
        if (count === 1) control.script("getRelease", problemBody("unauthenticated", 401, "Expired."));
      },
    });
    expect(await runAs(reader, ["watch", "support-bot"])).toBe(0);
    const frames = reader.out().split("\u001b[H").slice(1);
    expect(frames[1]).toMatch(/unauthenticated[^]*revision 7/);
    expect(frames[2] ?? "").not.toContain("unauthenticated");
  });

  it("that cannot even begin ends with 1, without touching the screen", async () => {
    control.script("getRelease", problemBody("prompt_not_found", 404, "No prompt x."));
    const reader = person();
    expect(await runAs(reader, ["watch", "x"])).toBe(1);
    expect(reader.out()).toBe("");
    expect(reader.error()).toContain("prompt_not_found");
  });

  it("not on a terminal prints a line per change, and none while nothing changes", async () => {
    const changed = { ...release, revision: 8 };
    const reader = person({
      live: false,
      onSleep(_, count) {
        if (count === 2) control.script("getRelease", { status: 200, body: changed });
        if (count === 4) reader.interrupt();
      },
    });
    expect(await runAs(reader, ["watch"])).toBe(0);
    const lines = reader.out().trimEnd().split("\n");
    expect(lines.map((line) => /revision \d/.exec(line)?.[0])).toEqual([
      "revision 7",
      "revision 8",
      "revision 7",
    ]);
    expect(lines[0]).toMatch(
      /^2026-03-01T12:00:00\.000Z {2}support-bot production .*v2 95 % 12,304 requests/,
    );
    expect(reader.out()).not.toContain("\u001b");
  });

  it("--json prints one object per look", async () => {
    const reader = person({ onSleep: (_, count) => void (count === 2 && reader.interrupt()) });
    expect(await runAs(reader, ["watch", "--json", "--interval", "5"])).toBe(0);
    const looks = reader
      .out()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { at: string });
    expect(looks.map((look) => look.at)).toEqual(["2026-03-01T12:00:00.000Z", "2026-03-01T12:00:05.000Z"]);
    expect(looks[0]).toMatchObject({ releases: [{ release, metrics }] });
  });

  it("never draws more lines than the screen has", async () => {
    const reader = person({ look: { height: 5 }, onSleep: () => reader.interrupt() });
    await runAs(reader, ["watch", "support-bot"]);
    const frame = reader.out().split("\u001b[H")[1]!.split("\u001b[J")[0]!;
    expect(frame.split("\n").length).toBeLessThanOrEqual(5);
    expect(frame).toContain("more lines");
  });
});

describe("a retry", () => {
  it("is told to somebody who watches, on a line that goes away again", async () => {
    control.script("rollback", "hang up");
    const reader = person();
    expect(await runAs(reader, ["rollback", "support-bot"])).toBe(0);
    expect(reader.progress[0]).toMatch(/Trying again/);
    expect(reader.progress.at(-1)).toBe("");
  });
});
