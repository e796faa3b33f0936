// WebSockets (Realtime APIs): the upgrade passes with its path and subprotocol, and messages go both ways.

import { createHash } from "node:crypto";
import { type Header, headerOf } from "../../test/support/http-messages.ts";
import { ask, fail, firstCall, judge, type Case, type Kit, type Verdict } from "../kit.ts";
import type { RawClient } from "../client.ts";
import { describeAnswer, neverAsked } from "../compare.ts";
import type { Call } from "../upstream.ts";

const KEY = Buffer.from("conformance-key!").toString("base64");
/** RFC 6455 §1.3. */
const ACCEPT = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const PATH = "/v1/realtime?model=gpt-realtime";
const UPGRADE: Header[] = [
  ["Connection", "Upgrade"],
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", KEY],
  ["Sec-WebSocket-Protocol", "realtime"],
];
const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;

/** A client's frame, masked as it must be, of at most 125 bytes. */
function frame(opcode: number, payload: Buffer): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const masked = payload.map((byte, index) => byte ^ mask[index % 4]!);
  return Buffer.concat([Buffer.from([opcode, 0x80 | payload.length]), mask, masked]);
}

type Socket = { client: RawClient; call: Call };

async function open(kit: Kit): Promise<Socket | Verdict> {
  const client = ask(kit, { method: "GET", path: PATH, headers: UPGRADE, body: null });
  const call = await firstCall(kit);
  if (call === null) return fail(neverAsked(client.response()));
  const { url } = call.request();
  if (!url.endsWith(PATH)) return fail(`${PATH} became ${url}`);
  if (headerOf(call.request(), "upgrade")?.toLowerCase() !== "websocket") {
    call.cut();
    return fail("the provider was asked without the upgrade");
  }
  call.acceptWebSocket();
  const down = await kit.bell.waitFor(() => client.response(), kit.deadlineMs);
  if (down?.status !== 101) return fail(`no 101: ${describeAnswer(down)}`);
  return { client, call };
}

async function echo(
  { bell, deadlineMs }: Kit,
  client: RawClient,
  opcode: number,
  text: string,
): Promise<boolean> {
  const payload = Buffer.from(text);
  const wanted = Buffer.concat([Buffer.from([opcode, payload.length]), payload]);
  client.write(frame(opcode, payload));
  return (await bell.waitFor(() => client.afterHead().includes(wanted), deadlineMs)) !== null;
}

function opened(
  about: Pick<Case, "name" | "guards" | "why">,
  act: (kit: Kit, socket: Socket) => Promise<Verdict>,
): Case {
  return {
    ...about,
    group: "websocket",
    on: ["chat"],
    injecting: "never",
    async run(kit) {
      const socket = await open(kit);
      return "result" in socket ? socket : act(kit, socket);
    },
  };
}

export const WEBSOCKET: Case[] = [
  opened(
    {
      name: "ws-upgrade",
      guards: "an upgrade passes, with path, query, credential and subprotocol",
      why: "Realtime APIs are WebSockets under the same base URL; browsers fail without the subprotocol",
    },
    async (kit, { client, call }) => {
      const { headers } = client.response()!;
      const [[name]] = kit.route.shape.headers as [Header];
      const asked = headerOf(call.request(), "sec-websocket-protocol");
      return judge(
        "101",
        headerOf({ headers }, "sec-websocket-accept") === ACCEPT ? null : "the accept key is wrong",
        asked === "realtime" ? null : `the subprotocol went up as ${asked}`,
        headerOf({ headers }, "sec-websocket-protocol") === "realtime" ? null : "no subprotocol came down",
        headerOf(call.request(), name) === null ? `no ${name} went up` : null,
      );
    },
  ),
  opened(
    {
      name: "ws-messages",
      guards: "text and binary messages go both ways",
      why: "audio is binary, events are text",
    },
    async (kit, { client }) => {
      const text = await echo(kit, client, TEXT, `{"type":"future","n":1.0,"text":"é ✓"}`);
      const binary = await echo(kit, client, BINARY, "\u0000\u0001\u0002");
      return judge(
        "both came back",
        text ? null : "a text message did not come back",
        binary ? null : "a binary message did not come back",
      );
    },
  ),
  opened(
    {
      name: "ws-close",
      guards: "a client's close reaches the provider",
      why: "an open session goes on being billed",
    },
    async (kit, { client, call }) => {
      client.write(frame(CLOSE, Buffer.from([3, 232])));
      const left = await kit.bell.waitFor(() => call.closed(), kit.deadlineMs);
      return judge(
        "the provider's connection ended",
        left === null ? "the provider's connection stayed open" : null,
      );
    },
  ),
];
