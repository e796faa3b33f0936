// Every case of the kit, in the order of the table.

import type { Case } from "../kit.ts";
import { BODIES } from "./bodies.ts";
import { CONNECTIONS } from "./connections.ts";
import { ENCODINGS } from "./encodings.ts";
import { ERRORS } from "./errors.ts";
import { HEADERS } from "./headers.ts";
import { STREAMING } from "./streaming.ts";
import { WEBSOCKET } from "./websocket.ts";

export const CASES: Case[] = [
  ...STREAMING,
  ...CONNECTIONS,
  ...ENCODINGS,
  ...BODIES,
  ...HEADERS,
  ...ERRORS,
  ...WEBSOCKET,
];
