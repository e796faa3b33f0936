// The harness with a control process that can really be killed, on a trivial Worker.

import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { startProcesses } from "./processes.ts";
import { buildTrivial } from "./trivial.ts";
import { until } from "./wait.ts";

test("edges lose a killed control process, keep their KV, and find it again with its storage", async () => {
  const bundle = await buildTrivial();
  const processes = await startProcesses({ edges: 2, bundle });
  try {
    const [one, two] = processes.edges;
    const read = (edge: typeof one, path: string): Promise<Response> => fetch(edge!.url + path);
    const count = async (): Promise<unknown> => (await read(two, "/count")).json();
    expect(await (await read(one, "/count")).json()).toBe(1);
    expect(await count()).toBe(2);
    await processes.killControl();
    expect((await read(one, "/count")).status).toBe(500);
    expect(await (await read(two, "/store")).json()).toBe(2);
    await processes.startControl();
    expect(await until(count)).toBe(3);
  } finally {
    await processes.stop();
    await rm(bundle, { recursive: true });
  }
});
