// What a gateway can do wrong, one thing each, as parts to exchange in the right one, with the cases that must find it:
// those and no others.

import { ANSWERS } from "./defects/answers.ts";
import { ERRORS, WEBSOCKETS } from "./defects/failures.ts";
import { HEADERS } from "./defects/headers.ts";
import type { Defect } from "./defects/parts.ts";
import { REQUESTS } from "./defects/requests.ts";

export const DEFECTS: Defect[] = [...HEADERS, ...REQUESTS, ...ANSWERS, ...ERRORS, ...WEBSOCKETS];
