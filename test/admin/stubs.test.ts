// Calls to objects that fail: when to try again, when not, and how it looks to the caller.

import { describe, expect, it } from "vitest";
import { callControl, callStub } from "../../src/admin/stubs.ts";
import type { ControlPort, RegistryPort } from "../../src/core/ports.ts";
import { problem } from "../../src/core/problem.ts";
import type { Env } from "../../src/env.ts";

type Flags = { retryable?: boolean; overloaded?: boolean; durableObjectReset?: boolean };

/** A call that fails this way so many times, then answers with the number of the stub that it was made on. */
function failing(times: number, flags: Flags) {
  const tried: number[] = [];
  let stubs = 0;
  const getStub = () => (stubs += 1);
  const call = async (stub: number) => {
    tried.push(stub);
    if (tried.length <= times) throw Object.assign(new Error("connection lost"), flags);
    return stub;
  };
  return { tried, getStub, call };
}

describe("a call to an object", () => {
  it("is made once more where that may help, on a new stub, for a broken stub stays broken", async () => {
    const { tried, getStub, call } = failing(1, { retryable: true });
    expect(await callStub(getStub, call)).toBe(2);
    expect(tried).toEqual([1, 2]);
  });

  it("survives a deployment, which resets the object under it", async () => {
    const once = failing(1, { durableObjectReset: true });
    expect(await callStub(once.getStub, once.call)).toBe(2);
    const forever = failing(9, { durableObjectReset: true });
    expect(await callStub(forever.getStub, forever.call)).toMatchObject({ problem: "release_unavailable" });
    expect(forever.tried).toEqual([1, 2]);
  });

  it("that fails twice is 503, to be sent again by the caller", async () => {
    const { tried, getStub, call } = failing(9, { retryable: true });
    expect(await callStub(getStub, call)).toMatchObject({ problem: "release_unavailable" });
    expect(tried).toEqual([1, 2]);
  });

  it("never adds to an overload", async () => {
    for (const flags of [{ overloaded: true }, { overloaded: true, retryable: true }]) {
      const { tried, getStub, call } = failing(9, flags);
      expect(await callStub(getStub, call)).toMatchObject({ problem: "release_unavailable" });
      expect(tried).toEqual([1]);
    }
  });

  it("that must happen once is made once", async () => {
    const { tried, getStub, call } = failing(9, { retryable: true });
    expect(await callStub(getStub, call, 1)).toMatchObject({ problem: "release_unavailable" });
    expect(tried).toEqual([1]);
  });

  it("lets a bug be a bug", async () => {
    const { tried, getStub, call } = failing(9, {});
    await expect(callStub(getStub, call)).rejects.toThrow("connection lost");
    expect(tried).toEqual([1]);
  });
});

describe("a prompt's Control", () => {
  const asked: string[] = [];
  const owners: Record<string, string> = { known: "known", alias: "known", "Odd.Alias": "known" };
  const control = (name: string): Partial<ControlPort> => ({
    async readEnvironments() {
      asked.push(name);
      return name === "known" ? ["production"] : problem("prompt_not_found", "no such prompt");
    },
  });
  const registry: Partial<RegistryPort> = { resolve: async (alias) => owners[alias] ?? null };
  const env = {
    CONTROL: { getByName: control },
    REGISTRY: { getByName: () => registry },
  } as unknown as Env;
  const read = async (name: string) => {
    asked.length = 0;
    const answer = await callControl(env, name, async (stub, prompt) => {
      const found = await stub.readEnvironments();
      return "problem" in found ? found : prompt;
    });
    return { answer, asked: [...asked] };
  };

  it("is asked by its name at once, by an alias after the Registry", async () => {
    expect(await read("known")).toEqual({ answer: "known", asked: ["known"] });
    expect(await read("alias")).toEqual({ answer: "known", asked: ["alias", "known"] });
  });

  it("is never made for a name that no prompt can have", async () => {
    expect(await read("Odd.Alias")).toEqual({ answer: "known", asked: ["known"] });
    const { answer, asked: calls } = await read("No.Body");
    expect(answer).toMatchObject({ problem: "prompt_not_found", field: "prompt" });
    expect(calls).toEqual([]);
  });

  it("that nobody has is not found", async () => {
    const { answer, asked: calls } = await read("nobody");
    expect(answer).toMatchObject({ problem: "prompt_not_found" });
    expect(calls).toEqual(["nobody"]);
  });
});
