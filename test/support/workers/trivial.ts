// The smallest Worker with the shape of Switchback, to try the harness on.

import { DurableObject } from "cloudflare:workers";

type TrivialEnv = {
  STORE: KVNamespace;
  CONTROL: DurableObjectNamespace<Control>;
  UPSTREAM: string;
};

/** Named by the first request: random values are not to be had in global scope. */
let isolate: string | null = null;

export class Control extends DurableObject<TrivialEnv> {
  private calls = 0;

  /** Counts up in memory alone. */
  countInMemory(): number {
    this.calls += 1;
    return this.calls;
  }

  /** Counts up, and puts the count into KV. */
  async count(): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    await this.env.STORE.put("count", String(count));
    return count;
  }
}

export class Registry extends DurableObject<TrivialEnv> {}

export default {
  async fetch(request: Request, env: TrivialEnv): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/log") console.warn("a line");
    if (url.pathname === "/isolate" || url.pathname === "/log")
      return new Response((isolate ??= crypto.randomUUID()));
    // Caught, because workerd drops the client's connection on an uncaught lost one instead of answering 500.
    try {
      if (url.pathname === "/count") return Response.json(await env.CONTROL.getByName("prompt").count());
      if (url.pathname === "/memory") {
        return Response.json(await env.CONTROL.getByName("prompt").countInMemory());
      }
      if (url.pathname === "/store") return Response.json(await env.STORE.get("count", "json"));
    } catch {
      return new Response(null, { status: 500 });
    }
    return fetch(env.UPSTREAM + url.pathname + url.search, request);
  },
};
