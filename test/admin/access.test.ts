// Who may call what, on the shipped Worker: closed without ADMIN_TOKEN, 401 without a token, 403 below the role, and
// no token anywhere but in the answer that mints it.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operationList } from "../../src/admin/operations.ts";
import type { Role } from "../../src/core/types.ts";
import { REGISTRY_NAME } from "../../src/env.ts";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { exampleOf, mustSend, send, startDemo, type Problem } from "./rig.ts";

type Minted = {
  id: string;
  token: string;
  name: string;
  role: Role;
  createdBy: string;
  expiresAt: string | null;
};

const ROLES: Role[] = ["viewer", "releaser", "admin"];
const calls = operationList.map((operation) => ({ ...operation, sent: exampleOf(operation) }));

let cluster: Cluster;
let url: string;

beforeAll(async () => {
  cluster = await startDemo();
  url = cluster.control.url;
});
afterAll(() => cluster?.stop());

function mint(body: object, token = ADMIN_TOKEN): Promise<Minted> {
  return mustSend(url, { method: "POST", path: "/admin/tokens", body: JSON.stringify(body) }, token);
}

async function refusal(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = (await response.json()) as Problem;
  expect(body.status).toBe(response.status);
  expect(body.type).toBe(`/docs#${body.code}`);
  return body;
}

describe("without ADMIN_TOKEN", () => {
  let closed: Cluster;
  beforeAll(async () => {
    closed = await startCluster({ edges: 0, vars: { ADMIN_TOKEN: "" } });
  });
  afterAll(() => closed?.stop());

  it.each([...calls, { id: "an unknown path", sent: { method: "GET", path: "/admin/nothing" } }])(
    "$id is closed to everybody, and the answer says how to open it",
    async ({ sent }) => {
      for (const token of [null, "", ADMIN_TOKEN]) {
        const response = await send(closed.control.url, sent, token);
        expect(response.status).toBe(403);
        const { code, detail } = await refusal(response);
        expect(code).toBe("forbidden");
        expect(detail).toContain("wrangler secret put ADMIN_TOKEN");
      }
    },
  );

  it("the documentation is open", async () => {
    for (const path of ["/docs", "/openapi.json"]) {
      const response = await send(closed.control.url, { method: "GET", path }, null);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("/admin/prompts/{prompt}/rollback");
    }
  });
});

describe("without a token that is known", () => {
  it.each([...calls, { id: "an unknown path", sent: { method: "GET", path: "/admin/nothing" } }])(
    "$id is refused with a challenge",
    async ({ sent }) => {
      const silent = await send(url, sent, null);
      expect(silent.status).toBe(401);
      expect(silent.headers.get("www-authenticate")).toBe('Bearer realm="switchback"');
      expect((await refusal(silent)).code).toBe("unauthenticated");
      const wrong = await send(url, sent, `sbt_${"A".repeat(43)}`);
      expect(wrong.status).toBe(401);
      expect(wrong.headers.get("www-authenticate")).toContain('error="invalid_token"');
      expect(await wrong.text()).not.toContain("AAAA");
    },
  );

  it.each([
    `Basic ${btoa(`admin:${ADMIN_TOKEN}`)}`,
    ADMIN_TOKEN,
    `Bearer ${ADMIN_TOKEN}x`,
    `Bearer ${ADMIN_TOKEN.slice(0, -1)}`,
    `Bearer ${ADMIN_TOKEN.toUpperCase()}`,
    `Bearer ${ADMIN_TOKEN} ${ADMIN_TOKEN}`,
    "Bearer ",
  ])("Authorization: %s is refused", async (authorization) => {
    const response = await send(
      url,
      { method: "GET", path: "/admin/whoami", headers: { authorization } },
      null,
    );
    expect(response.status).toBe(401);
  });

  it("the scheme may be written in any case", async () => {
    const headers = { authorization: `bearer  ${ADMIN_TOKEN}` };
    expect(await mustSend(url, { method: "GET", path: "/admin/whoami", headers }, null)).toEqual({
      name: "admin",
      role: "admin",
    });
  });
});

describe("a role", () => {
  const tokens = new Map<Role, string>();
  beforeAll(async () => {
    for (const role of ROLES) tokens.set(role, (await mint({ name: `a ${role}`, role })).token);
  });

  it.each(calls)(
    "below $role may not call $id, and learns which role may",
    async ({ role: needed, sent }) => {
      for (const role of ROLES.slice(0, ROLES.indexOf(needed))) {
        // The body is wrong too: who may not call learns nothing about how to.
        const response = await send(
          url,
          { ...sent, ...("body" in sent && { body: "{" }) },
          tokens.get(role) ?? null,
        );
        expect(response.status).toBe(403);
        expect((await refusal(response)).detail).toContain(`role ${needed}`);
      }
    },
  );

  it.each(calls)("from $role up may call $id", async ({ role: needed, sent }) => {
    for (const role of ROLES.slice(ROLES.indexOf(needed))) {
      // If-Match keeps the writes from changing what the other tests look at.
      const headers = { "if-match": '"999"' };
      const response = await send(url, { ...sent, path: sent.path, headers }, tokens.get(role) ?? null);
      expect([401, 403], `${role}: ${response.status}`).not.toContain(response.status);
      await response.arrayBuffer();
    }
  });
});

describe("a minted token", () => {
  it("is shown once, signs with its name, and is kept only as a digest", async () => {
    const minted = await mint({ name: "ci", role: "releaser" });
    expect(minted.token).toMatch(/^sbt_[A-Za-z0-9_-]{43}$/);
    expect(minted).toMatchObject({ name: "ci", role: "releaser", createdBy: "admin", expiresAt: null });
    expect(await mustSend(url, { method: "GET", path: "/admin/whoami" }, minted.token)).toEqual({
      name: "ci",
      role: "releaser",
    });
    const list = await (await send(url, { method: "GET", path: "/admin/tokens" })).text();
    expect(list).toContain(minted.id);
    expect(list).not.toContain(minted.token);
    expect(list).not.toMatch(/hash|digest/);
  });

  it("answers 201 with a Location that takes a DELETE", async () => {
    const body = JSON.stringify({ name: "short-lived", role: "viewer" });
    const made = await send(url, { method: "POST", path: "/admin/tokens", body });
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const path = made.headers.get("location") ?? "";
    expect((await send(url, { method: "DELETE", path })).status).toBe(200);
    await made.arrayBuffer();
  });

  it("never works again once it is revoked, from the next request on", async () => {
    const { id, token } = await mint({ name: "leaked", role: "admin" });
    await mustSend(url, { method: "GET", path: "/admin/whoami" }, token);
    const path = `/admin/tokens/${id}`;
    const revoked = await mustSend<{ revokedAt: string }>(url, { method: "DELETE", path });
    expect(revoked.revokedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await send(url, { method: "GET", path: "/admin/whoami" }, token)).status).toBe(401);
    expect(await mustSend(url, { method: "DELETE", path })).toEqual(revoked);
  });

  it("stops working when it expires", async () => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { token } = await mint({ name: "for a moment", role: "viewer", expiresAt });
    const whoami = { method: "GET", path: "/admin/whoami" };
    expect((await send(url, whoami, token)).status).toBe(200);
    await until(async () => (await send(url, whoami, token)).status === 401);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  });

  it.each([
    [{ name: "late", role: "viewer", expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt"],
    [{ name: "late", role: "viewer", expiresAt: "tomorrow" }, "expiresAt"],
    [{ name: "x\ny", role: "viewer" }, "name"],
    [{ name: "root", role: "root" }, "role"],
    [{ name: "none" }, "role"],
  ])("is refused for %j, naming %s", async (body, field) => {
    const response = await send(url, { method: "POST", path: "/admin/tokens", body: JSON.stringify(body) });
    expect(response.status).toBe(400);
    expect(await refusal(response)).toMatchObject({ code: "invalid_request", field });
  });

  it.each(["admin", "guardrail", "ramp", "Ramp", "GUARDRAIL", "ramp "])(
    "cannot be called %j, which Switchback itself signs the audit log with",
    async (name) => {
      const body = JSON.stringify({ name, role: "releaser" });
      const response = await send(url, { method: "POST", path: "/admin/tokens", body });
      expect(response.status).toBe(400);
      const { code, field, detail } = await refusal(response);
      expect({ code, field }).toEqual({ code: "invalid_request", field: "name" });
      expect(detail).toContain("choose another name");
    },
  );

  it("that got such a name before that was refused is told apart in the audit log", async () => {
    const token = `sbt_${"r".repeat(43)}`;
    const hash = createHash("sha256").update(token).digest("hex");
    const old = { name: "ramp", role: "releaser", expiresAt: null, createdBy: "admin", hash };
    await cluster.control.callObject("REGISTRY", REGISTRY_NAME, "mint", [old]);
    const path = "/admin/prompts/signed";
    await mustSend(url, { method: "PUT", path, body: "{}" }, token);
    const body = JSON.stringify({ system: "Who wrote this?" });
    await mustSend(url, { method: "POST", path: `${path}/versions`, body }, token);
    const { revisions } = await mustSend<{ revisions: { actor: string }[] }>(url, {
      method: "GET",
      path: `${path}/revisions`,
    });
    expect(revisions[0]?.actor).toBe("ramp (token)");
  });

  it("that nobody has cannot be revoked", async () => {
    const response = await send(url, { method: "DELETE", path: "/admin/tokens/nobody" });
    expect(response.status).toBe(404);
    expect((await refusal(response)).code).toBe("token_not_found");
  });
});

it("no token is ever written to the log", async () => {
  const { token } = await mint({ name: "quiet", role: "viewer" });
  await send(url, { method: "GET", path: "/admin/nothing" }, token);
  await send(url, { method: "GET", path: "/admin/prompts" }, `${token}x`);
  const logs = JSON.stringify(cluster.logs);
  expect(logs).not.toContain("sbt_");
  expect(logs).not.toContain(ADMIN_TOKEN);
});
