// Every operation's own refusals, walked from the table on the shipped Worker: each code that comes back is one that
// the table declares for it, as a problem document, and a refused write has changed nothing.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BODY_LIMIT_BYTES } from "../../src/admin/body.ts";
import {
  BODY_PROBLEMS,
  COMMON_PROBLEMS,
  isPromptWrite,
  operationList,
  type Operation,
} from "../../src/admin/operations.ts";
import { PROBLEMS, type ProblemCode } from "../../src/core/problem.ts";
import type { Cluster } from "../support/cluster.ts";
import { exampleOf, mustSend, PROMPT, seed, send, startDemo, type Problem, type Sent } from "./rig.ts";

let cluster: Cluster;
let url: string;

beforeAll(async () => {
  cluster = await startDemo();
  url = cluster.control.url;
});
afterAll(() => cluster?.stop());

/** Sends, expects this code with its status, in a document, declared by the table. */
async function expectRefused(operation: Operation, sent: Sent, code: ProblemCode): Promise<Problem> {
  const response = await send(url, sent);
  const text = await response.text();
  expect(response.headers.get("content-type"), text).toBe("application/problem+json");
  const body = JSON.parse(text) as Problem;
  expect({ code: body.code, status: response.status }, text).toEqual({ code, status: PROBLEMS[code].status });
  expect(body).toMatchObject({ type: `/docs#${code}`, title: PROBLEMS[code].title, status: response.status });
  expect(body.detail.length).toBeGreaterThan(10);
  const declared: ProblemCode[] = [...COMMON_PROBLEMS, ...operation.statuses.problems];
  expect(declared).toContain(code);
  return body;
}

function elsewhere(sent: Sent, prompt: string): Sent {
  return { ...sent, path: sent.path.replace(PROMPT, prompt) };
}

function withQuery(sent: Sent, query: string): Sent {
  return { ...sent, path: `${sent.path}${sent.path.includes("?") ? "&" : "?"}${query}` };
}

function withBody(sent: Sent, fields: object): Sent {
  return { ...sent, body: JSON.stringify({ ...JSON.parse(sent.body ?? "{}"), ...fields }) };
}

const ofPrompts = operationList.filter(({ path }) => path.includes(":prompt"));
const withBodies = operationList.filter(({ body }) => body !== null);
const writes = operationList.filter(isPromptWrite);

describe("400", () => {
  it.each(operationList)("$id refuses a query that it does not know", async (operation) => {
    const body = await expectRefused(
      operation,
      withQuery(exampleOf(operation), "enviroment=x"),
      "invalid_request",
    );
    expect(body.errors).toContainEqual({ field: "enviroment", message: "is not known here" });
  });

  it.each(ofPrompts)("$id refuses what cannot be the name of a prompt", async (operation) => {
    const sent = elsewhere(exampleOf(operation), "no%20name");
    expect(await expectRefused(operation, sent, "invalid_request")).toMatchObject({ field: "prompt" });
  });

  it.each(withBodies)("$id refuses a body that is no JSON object, and says where", async (operation) => {
    const sent = exampleOf(operation);
    const broken = await expectRefused(operation, { ...sent, body: '{"a": 1,\n}' }, "invalid_request");
    expect(broken.detail).toContain("line 2, column 1");
    await expectRefused(operation, { ...sent, body: "[]" }, "invalid_request");
  });

  it.each(withBodies)("$id refuses a field that it does not know, and names it", async (operation) => {
    const sent = withBody(exampleOf(operation), { enviroment: "staging" });
    const { errors } = await expectRefused(operation, sent, "invalid_request");
    expect(errors?.map(({ field }) => field)).toContain("enviroment");
  });

  it.each(writes)("$id refuses guards that it cannot read, and names the header", async (operation) => {
    const sent = exampleOf(operation);
    const match = await expectRefused(
      operation,
      { ...sent, headers: { "if-match": "new" } },
      "invalid_request",
    );
    expect(match.field).toBe("If-Match");
    const headers = { "idempotency-key": "two words" };
    const key = await expectRefused(operation, { ...sent, headers }, "invalid_request");
    expect(key.field).toBe("Idempotency-Key");
  });

  const named = operationList.filter(({ environmentIn }) => environmentIn !== null);
  it.each(named)("$id refuses what cannot be the name of an environment", async (operation) => {
    const sent = exampleOf(operation);
    const wrong =
      operation.environmentIn === "body"
        ? withBody(sent, { environment: "Not This" })
        : withQuery(sent, "environment=Not+This");
    expect(await expectRefused(operation, wrong, "invalid_request")).toMatchObject({ field: "environment" });
  });
});

describe("404", () => {
  it.each(ofPrompts.filter(({ id }) => id !== "putPrompt"))("$id: no such prompt", async (operation) => {
    for (const prompt of ["nobody", "NoBody"]) {
      const sent = elsewhere(exampleOf(operation), prompt);
      expect(await expectRefused(operation, sent, "prompt_not_found")).toMatchObject({ field: "prompt" });
    }
  });

  it.each(writes.filter(({ id }) => id !== "putPrompt"))(
    "$id: no such prompt, whatever revision If-Match believes in",
    async (operation) => {
      const sent = { ...elsewhere(exampleOf(operation), "nobody"), headers: { "if-match": '"3"' } };
      await expectRefused(operation, sent, "prompt_not_found");
    },
  );

  it("a push to a prompt that does not exist says to create it first", async () => {
    const operation = operationList.find(({ id }) => id === "pushVersion")!;
    const { detail } = await expectRefused(
      operation,
      elsewhere(exampleOf(operation), "nobody"),
      "prompt_not_found",
    );
    expect(detail).toMatch(/PUT|[Cc]reate it first/);
  });

  const versioned: [string, string, (sent: Sent) => Sent][] = [
    ["getVersion", "version", (sent) => ({ ...sent, path: sent.path.replace("/2", "/99") })],
    ["revokeVersion", "version", (sent) => ({ ...sent, path: sent.path.replace("/2/", "/99/") })],
    ["diffVersions", "to", (sent) => ({ ...sent, path: sent.path.replace("to=2", "to=99") })],
    ["renderPrompt", "version", (sent) => withBody(sent, { version: 99 })],
    ["canary", "version", (sent) => withBody(sent, { version: 99 })],
    ["promote", "version", (sent) => withBody(sent, { version: 99 })],
    ["rollback", "to", (sent) => withBody(sent, { to: 99 })],
  ];
  it.each(versioned)("%s: no such version, named as the field %s", async (id, field, change) => {
    const operation = operationList.find((one) => one.id === id)!;
    const refused = await expectRefused(operation, change(exampleOf(operation)), "version_not_found");
    expect(refused.field).toBe(field);
  });

  it.each(["getRelease", "explain", "listRevisions", "getMetrics"])("%s: no such environment", async (id) => {
    const operation = operationList.find((one) => one.id === id)!;
    await expectRefused(
      operation,
      withQuery(exampleOf(operation), "environment=moon"),
      "environment_not_found",
    );
  });

  it("renderPrompt: no such environment to take the baseline of", async () => {
    const operation = operationList.find(({ id }) => id === "renderPrompt")!;
    const sent = { ...exampleOf(operation), body: '{"environment":"moon"}' };
    await expectRefused(operation, sent, "environment_not_found");
  });

  it.each(["/admin", "/admin/nothing", "/admin/prompts/a/b/c", "/admin/prompts/a/versions/1/x"])(
    "%s is no call",
    async (path) => {
      const response = await send(url, { method: "GET", path });
      expect(response.status).toBe(404);
      expect(((await response.json()) as Problem).code).toBe("route_not_found");
    },
  );
});

describe("405", () => {
  const paths = new Map<string, Set<string>>();
  for (const { path, method } of operationList) paths.set(path, (paths.get(path) ?? new Set()).add(method));

  it.each([...paths])("%s takes its own methods only, and names them", async (path, methods) => {
    const filled = path.replace(/:[a-z]+/g, "1");
    for (const method of ["GET", "PUT", "POST", "PATCH", "DELETE"]) {
      if (methods.has(method)) continue;
      const response = await send(url, { method, path: filled });
      expect(response.status, method).toBe(405);
      expect(((await response.json()) as Problem).code).toBe("method_not_allowed");
      const allowed = new Set(response.headers.get("allow")?.split(", "));
      expect(allowed.has("HEAD")).toBe(methods.has("GET"));
      allowed.delete("HEAD");
      expect(allowed).toEqual(methods);
    }
  });
});

describe("412", () => {
  it.each(writes)("$id under a stale If-Match changes nothing and tells the revision", async (operation) => {
    const before = await mustSend(url, { method: "GET", path: `/admin/prompts/${PROMPT}/revisions` });
    const sent = { ...exampleOf(operation), headers: { "if-match": '"77"' } };
    const { current } = await expectRefused(operation, sent, "revision_conflict");
    const release = await send(url, { method: "GET", path: `/admin/prompts/${PROMPT}/release` });
    expect(release.headers.get("etag")).toBe(`"${current}"`);
    await release.arrayBuffer();
    expect(await mustSend(url, { method: "GET", path: `/admin/prompts/${PROMPT}/revisions` })).toEqual(
      before,
    );
  });
});

describe("413", () => {
  it.each(withBodies)("$id takes a body of 1 MiB at most", async (operation) => {
    expect(BODY_PROBLEMS).toContain("body_too_large");
    const body = JSON.stringify({ reason: "x".repeat(BODY_LIMIT_BYTES) });
    await expectRefused(operation, { ...exampleOf(operation), body }, "body_too_large");
  });
});

describe("422", () => {
  it.each(writes)("$id refuses an Idempotency-Key that stood for another request", async (operation) => {
    const prompt = `again-${operation.id.toLowerCase()}`;
    await seed(url, prompt);
    const headers = { "idempotency-key": "once" };
    const path = `/admin/prompts/${prompt}/canary`;
    await mustSend(url, { method: "POST", path, headers, body: '{"version":2,"weight":1}' });
    const sent = elsewhere({ ...exampleOf(operation), headers }, prompt);
    await expectRefused(operation, sent, "idempotency_key_reused");
  });
});
