// One call made directly and through the proxy: what the application got, and what went over each wire, side by side.
// Whatever may differ is in the lists below, with its reason; docs/sdks.md prints them. All else must be equal.

import { expect } from "vitest";
import { comparable, expectFaithful } from "../support/fidelity.ts";
import type { Header } from "../support/http-messages.ts";
import type { Exchange } from "../support/tap.ts";
import type { Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import type { Rig } from "./rig.ts";
import type { ScenarioCall } from "./scenarios.ts";

/** Request headers in which a direct call and a proxied one may differ when they reach the provider. */
export const DIFFERENT_UP: Record<string, string> = {
  host: "names the host that was asked",
  connection: "belongs to one connection",
  "keep-alive": "belongs to one connection",
  "transfer-encoding": "frames the body on one connection",
  "content-length": "frames the body on one connection",
  "content-type": "only in the boundary of multipart, which every SDK makes up anew",
  "amz-sdk-invocation-id": "made up anew for every call",
  "amz-sdk-request": "carries the time",
  "idempotency-key": "made up anew for every call",
};

/** Answer headers in which the two may differ when they reach the application. */
export const DIFFERENT_DOWN: Record<string, string> = {
  connection: "belongs to one connection",
  "keep-alive": "belongs to one connection",
  "transfer-encoding": "frames the body on one connection",
  "content-length": "frames the body on one connection",
  "server-timing": "the proxy adds its own duration",
  "x-goog-upload-url": "leads through the proxy again",
  "prompt-*": "the proxy's id for feedback, and with a prompt what was decided",
};

/** What an SDK says of itself, and says differently every time. */
const OF_THE_MOMENT = new Set(["totalRetryDelay"]);

/** What the application got: a value, or the SDK's error, as plain data. */
export type Outcome = { value: unknown } | { error: Described };
export type Described = { class: string; is: string[]; message: string; [field: string]: unknown };

export type Comparison = { direct: Outcome; proxied: Outcome; calls: number; waitedMs: number[] };

/** Both ways at once. `mount` is the path of the proxy that stands for the provider's origin. */
export async function callBothWays(rig: Rig, mount: string, call: ScenarioCall): Promise<Comparison> {
  const { direct, behind, front } = rig;
  const [straight, proxied] = await Promise.all([
    settle(
      call(direct.url, () => untilAsked(direct)),
      direct.url,
    ),
    settle(
      call(front.url + mount, () => untilAsked(behind)),
      front.url + mount,
    ),
  ]);
  return {
    direct: straight,
    proxied,
    calls: behind.exchanges().length,
    waitedMs: [direct, behind].map((provider) => pauseBetween(provider.exchanges())),
  };
}

async function untilAsked(provider: Upstream): Promise<void> {
  await until(() => provider.exchanges().at(-1)?.request.complete);
}

/** Nothing that the application or the provider could notice is different. */
export async function expectSame(rig: Rig, { direct, proxied }: Comparison): Promise<void> {
  expect(proxied).toEqual(direct);
  const asked = rig.direct.exchanges();
  const reached = rig.behind.exchanges();
  expectSameCalls(asked, reached);
  for (const [index, { request }] of reached.entries()) {
    const other = asked[index]!.request;
    expect(headersUp(request.headers)).toEqual(headersUp(other.headers));
    expect(withoutBoundary(request.body, request.headers)).toEqual(
      withoutBoundary(other.body, other.headers),
    );
  }
  await expectFaithfulRelay(rig);
}

/** The provider was asked the same things in the same order. */
export function expectSameCalls(asked: Exchange[], reached: Exchange[]): void {
  expect(reached.map(({ request }) => `${request.method} ${request.url}`)).toEqual(
    asked.map(({ request }) => `${request.method} ${request.url}`),
  );
}

/** What went into the proxy came out of it, but for the prompt, and the other way round. */
export async function expectFaithfulRelay(rig: Rig): Promise<void> {
  const reached = rig.behind.exchanges();
  const sent = await until(() => rig.front.exchanges().every(isOver) && rig.front.exchanges());
  expect(sent).toHaveLength(reached.length);
  for (const [index, exchange] of sent.entries()) expectFaithfulAsFarAsRead(exchange, reached[index]!);
}

function isOver({ response, clientClosed, serverClosed }: Exchange): boolean {
  return response?.complete === true || clientClosed !== null || serverClosed !== null;
}

/** An SDK that has what it wants (an error in a stream, an answer that it will ask for again) may leave the rest. */
function expectFaithfulAsFarAsRead(client: Exchange, provider: Exchange): void {
  const { response, clientClosed } = client;
  const said = provider.response!;
  const isWhole = response === null || response.complete || clientClosed === null;
  // More than the provider said: that the stream broke off.
  if (isWhole || response.body.length > said.body.length) return expectFaithful(client, provider);
  expect(said.body.subarray(0, response.body.length).equals(response.body)).toBe(true);
  const rest = { body: said.body, complete: said.complete };
  return expectFaithful({ ...client, response: { ...response, ...rest } }, provider);
}

// ── as plain data ───────────────────────────────────────────────────────────────────────────────────────────────

async function settle(calling: Promise<unknown>, site: string): Promise<Outcome> {
  try {
    return { value: describe(await calling, site) };
  } catch (error) {
    if (error instanceof Error && error.name === "AssertionError") throw error;
    return { error: describeError(error, site) };
  }
}

function describeError(error: unknown, site: string): Described {
  if (!(error instanceof Error)) return { class: typeof error, is: [], message: String(error) };
  const is: string[] = [];
  for (let at: object | null = error; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    is.push(at.constructor.name);
  }
  const fields = Object.fromEntries(
    Object.entries(error).map(([name, value]) => [name, describe(value, site)]),
  );
  const message = describe(error.message, site) as string;
  return {
    ...fields,
    name: error.name,
    message,
    class: error.constructor.name,
    is: [...new Set(is.slice(1))],
  };
}

/** Plain data, in which the place that was asked is always called the same. */
function describe(value: unknown, site: string, depth = 0): unknown {
  if (typeof value === "string") return value.replaceAll(site, "SITE").replaceAll(new URL(site).host, "HOST");
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  if (depth > 9) return "…";
  if (value instanceof Error) return describeError(value, site);
  if (value instanceof Headers || value instanceof Map) return headersDown([...value] as Header[]);
  if (Array.isArray(value)) return value.map((item) => describe(item, site, depth + 1));
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  const fields = Object.entries(value).filter(
    ([name]) => !isDifferentDown(name.toLowerCase()) && !OF_THE_MOMENT.has(name),
  );
  return Object.fromEntries(fields.map(([name, item]) => [name, describe(item, site, depth + 1)]));
}

/** A header of an SDK's own making: records of them are told by the names of their fields. */
function isDifferentDown(name: string): boolean {
  return name in DIFFERENT_DOWN || name.startsWith("prompt-");
}

function headersDown(headers: Header[]): Header[] {
  return comparable(headers, new Set(Object.keys(DIFFERENT_DOWN)));
}

function headersUp(headers: Header[]): Header[] {
  const wire = new Set(Object.keys(DIFFERENT_UP).filter((name) => name !== "content-type"));
  return comparable(headers, wire).map(([name, value]) => [
    name,
    name === "content-type" ? value.replace(/boundary=.*/, "boundary=…") : value,
  ]);
}

function withoutBoundary(body: Buffer, headers: Header[]): string {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1];
  const text = body.toString("latin1");
  return boundary === undefined ? text : text.replaceAll(boundary, "…");
}

/** From the first answer to the second question. */
function pauseBetween([first, second]: Exchange[]): number {
  return first === undefined || second === undefined
    ? 0
    : second.request.firstByteAtMs - first.request.lastByteAtMs;
}
