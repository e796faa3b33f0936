// Every case of the kit, in the order of the table.

import type { Case } from "../kit.ts";
import { BODIES } from "./bodies.ts";
import { CONNECTIONS } from "./connections.ts";
import { ENCODINGS } from "./encodings.ts";
import { ERRORS } from "./errors.ts";
import { HEADERS_DOWN } from "./headers-down.ts";
import { HEADERS_UP } from "./headers-up.ts";
import { STREAMING } from "./streaming.ts";
import { TRANSFERS } from "./transfers.ts";
import { WEBSOCKET } from "./websocket.ts";

export const CASES: Case[] = [
  ...STREAMING,
  ...CONNECTIONS,
  ...ENCODINGS,
  ...BODIES,
  ...TRANSFERS,
  ...HEADERS_UP,
  ...HEADERS_DOWN,
  ...ERRORS,
  ...WEBSOCKET,
];
