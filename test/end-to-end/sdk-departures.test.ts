// When the application leaves, the provider must stop generating (and billing) within a second, whatever the moment.

import { APIConnectionTimeoutError, APIUserAbortError } from "openai";
import {
  APIConnectionTimeoutError as AnthropicTimeoutError,
  APIUserAbortError as AnthropicAbortError,
} from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { sse } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { chatChunks, HELLO as hello, MODEL as model, messageEvents } from "./sdk-replies.ts";
import {
  ABORT_DEADLINE_MS,
  anthropic,
  openai,
  readOne,
  rejection,
  untilProviderIsLeft,
  useRig,
} from "./sdk-rig.ts";

const rig = useRig();

type Options = { signal?: AbortSignal; timeout?: number };

const clients = {
  openai: {
    stream: () =>
      openai(rig.clients.upstream).chat.completions.create({ model, messages: hello, stream: true }),
    create: (options: Options): Promise<unknown> =>
      openai(rig.clients.upstream).chat.completions.create({ model, messages: hello }, options),
    events: chatChunks,
    aborted: APIUserAbortError,
    timedOut: APIConnectionTimeoutError,
  },
  anthropic: {
    stream: () =>
      anthropic(rig.clients.upstream).messages.create({
        model,
        max_tokens: 9,
        messages: hello,
        stream: true,
      }),
    create: (options: Options): Promise<unknown> =>
      anthropic(rig.clients.upstream).messages.create({ model, max_tokens: 9, messages: hello }, options),
    events: (count: number) => messageEvents(count, false),
    aborted: AnthropicAbortError,
    timedOut: AnthropicTimeoutError,
  },
};

describe.each(Object.entries(clients))("%s", (_, client) => {
  test("mid-stream, the provider knows within a second", async () => {
    rig.upstream.play(sse(client.events(500), { everyMs: 50 }));
    await readOne<unknown>(await client.stream());
    expect(await untilProviderIsLeft(rig.upstream)).toBeLessThan(ABORT_DEADLINE_MS);
  });

  test("in a silence mid-stream, the provider knows within a second", async () => {
    rig.upstream.play(sse(client.events(1), { end: "open" }));
    await readOne<unknown>(await client.stream());
    expect(await untilProviderIsLeft(rig.upstream)).toBeLessThan(ABORT_DEADLINE_MS);
  });

  test("before the first byte, the provider knows within a second", async () => {
    rig.upstream.play("silent");
    const controller = new AbortController();
    const call = rejection(client.create({ signal: controller.signal }));
    await until(() => rig.upstream.exchanges()[0]?.request.complete);
    controller.abort();
    expect(await untilProviderIsLeft(rig.upstream)).toBeLessThan(ABORT_DEADLINE_MS);
    expect(await call).toBeInstanceOf(client.aborted);
  });

  test("on the SDK's own timeout, the provider knows within a second", async () => {
    rig.upstream.play("silent");
    expect(await rejection(client.create({ timeout: 300 }))).toBeInstanceOf(client.timedOut);
    expect(await untilProviderIsLeft(rig.upstream)).toBeLessThan(ABORT_DEADLINE_MS);
  });
});
