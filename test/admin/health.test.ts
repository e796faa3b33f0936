// The watch over HTTP on the shipped Worker: verdicts and events as their schemas say, guardrails as settings of a prompt,
// and refusals that name the field.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.ts";
import type { Diagnosis } from "../../src/core/diagnosis.ts";
import type { HealthView } from "../../src/core/health.ts";
import type { Prompt } from "../../src/core/types.ts";
import type { Cluster } from "../support/cluster.ts";
import { mustSend, seed, send, startDemo, type Problem } from "./rig.ts";

let cluster: Cluster;
let url: string;

beforeAll(async () => {
  cluster = await startDemo();
  url = cluster.control.url;
});
afterAll(() => cluster?.stop());

const read = <Body>(prompt: string, rest: string) =>
  mustSend<Body>(url, { method: "GET", path: `/admin/prompts/${prompt}/${rest}` });
const diagnose = (prompt: string, query = "") => read<Diagnosis>(prompt, `diagnose${query}`);
const put = (prompt: string, body: object) =>
  send(url, { method: "PUT", path: `/admin/prompts/${prompt}`, body: JSON.stringify(body) });

describe("the health of a release", () => {
  it("is to wait while there is nothing to compare, canary by canary", async () => {
    await seed(url, "watched");
    const alone = OPERATIONS.getHealth.response.parse(await read("watched", "health"));
    expect(alone).toMatchObject({ verdict: "waiting", isFrozen: false, comparisons: [], revision: 1 });
    const canary = { version: 2, weight: 10 };
    await mustSend(url, {
      method: "POST",
      path: "/admin/prompts/watched/canary",
      body: JSON.stringify(canary),
    });
    const health = await read<HealthView>("watched", "health");
    expect(OPERATIONS.getHealth.response.safeParse(health).error).toBe(undefined);
    expect(health).toMatchObject({ verdict: "waiting", isFrozen: true, revision: 2 });
    expect(health.comparisons).toMatchObject([{ baseline: 1, canary: 2, gate: { isOpen: false } }]);
    expect(health.comparisons[0]!.guards).toHaveLength(12);
    expect(await read("watched", "events")).toEqual({
      prompt: "watched",
      environment: "production",
      events: [],
      nextBefore: null,
    });
  });

  it("is asked for by prompt and environment, and what is not there is named", async () => {
    for (const rest of ["health?environment=staging", "events?environment=staging"]) {
      const response = await send(url, { method: "GET", path: `/admin/prompts/support-bot/${rest}` });
      expect(response.status).toBe(404);
      expect(((await response.json()) as Problem).code).toBe("environment_not_found");
    }
    const sayMissing = async (rest: string) => {
      const sent = { method: "GET", path: `/admin/prompts/support-bot/${rest}?environment=staging` };
      const { detail, field } = (await (await send(url, sent)).json()) as Problem;
      return { detail, field };
    };
    const said = await sayMissing("health");
    expect(said.field).toBe("environment");
    expect(said.detail).toMatch(/only in production: .*the start of a ramp that names it/);
    for (const rest of ["metrics", "events", "diagnose", "ramp"])
      expect(await sayMissing(rest)).toEqual(said);
    const missing = await send(url, { method: "GET", path: "/admin/prompts/nobody/health" });
    expect(((await missing.json()) as Problem).code).toBe("prompt_not_found");
  });
});

describe("a diagnosis", () => {
  it("of no traffic says so, and shows what was released in the window", async () => {
    await seed(url, "diagnosed");
    await mustSend(url, {
      method: "POST",
      path: "/admin/prompts/diagnosed/canary",
      body: JSON.stringify({ version: 2, weight: 10, reason: "first look" }),
    });
    const found = await diagnose("diagnosed");
    expect(OPERATIONS.diagnose.response.safeParse(found).error).toBe(undefined);
    expect(found).toMatchObject({ onset: null, suspects: [], errorClasses: [] });
    expect(found.summary).toContain("no request was counted");
    expect(found.timeline[0]).toMatchObject({ kind: "release", says: expect.stringContaining("first look") });
    expect(Date.parse(found.until) - Date.parse(found.since)).toBe(86_400_000);
  });

  it("takes windows that are kept, and refuses others", async () => {
    const { since, until } = await diagnose("support-bot", "?window=30m");
    expect(Date.parse(until) - Date.parse(since)).toBe(1_800_000);
    for (const window of ["32d", "1s", "soon"]) {
      const path = `/admin/prompts/support-bot/diagnose?window=${window}`;
      const response = await send(url, { method: "GET", path });
      expect(response.status).toBe(400);
    }
  });
});

describe("guardrails as settings", () => {
  it("are kept, replaced as a whole, and shown in the health; null brings the defaults back", async () => {
    await seed(url, "tuned");
    const guardrails = {
      errors: { action: "notify" },
      latency: { tolerance: 0.2 },
      tokens: { action: "off" },
    };
    const saved = (await (await put("tuned", { guardrails })).json()) as Prompt;
    expect(OPERATIONS.putPrompt.response.safeParse(saved).error).toBe(undefined);
    expect(saved.guardrails).toEqual(guardrails);
    const canary = { version: 2, weight: 10 };
    await mustSend(url, {
      method: "POST",
      path: "/admin/prompts/tuned/canary",
      body: JSON.stringify(canary),
    });
    const { guards } = (await read<HealthView>("tuned", "health")).comparisons[0]!;
    expect(guards.find(({ metric }) => metric === "errors")!.action).toBe("notify");
    expect(guards.map(({ metric }) => metric)).not.toContain("tokens");
    await put("tuned", { guardrails: { cost: { action: "notify" } } });
    expect((await mustSend<Prompt>(url, { method: "GET", path: "/admin/prompts/tuned" })).guardrails).toEqual(
      {
        cost: { action: "notify" },
      },
    );
    await put("tuned", { description: "unchanged otherwise" });
    await put("tuned", { guardrails: null });
    const after = await mustSend<Prompt>(url, { method: "GET", path: "/admin/prompts/tuned" });
    expect(after).toMatchObject({ description: "unchanged otherwise" });
    expect(after.guardrails).toBe(undefined);
  });

  it("move no traffic: no revision comes of them", async () => {
    await seed(url, "still");
    await put("still", { guardrails: { errors: { action: "off" } } });
    expect(await read("still", "release")).toMatchObject({ revision: 1 });
  });

  it.each([
    [{ eror: {} }, "guardrails"],
    [{ errors: { action: "stop" } }, "guardrails.errors.action"],
    [{ errors: { tolerance: 0.5 } }, "guardrails.errors.tolerance"],
    [{ judge_score: { tolerance: 2 } }, "guardrails.judge_score.tolerance"],
  ])("are refused by field: %j", async (guardrails, field) => {
    const response = await put("support-bot", { guardrails });
    expect(response.status).toBe(400);
    const { code, field: named, errors = [] } = (await response.json()) as Problem;
    expect(code).toBe("invalid_request");
    expect([named, ...errors.map((one) => one.field)].some((one) => one?.startsWith(field))).toBe(true);
    for (const { message } of errors) expect(message).toMatch(/^(must be|is not known)/);
  });
});
