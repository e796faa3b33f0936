// Vercel's AI SDK with each of its providers, directly and through the proxy.

import { AI_CLIENTS } from "./clients/ai.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), AI_CLIENTS);
