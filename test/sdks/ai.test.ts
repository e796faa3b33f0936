// Vercel's AI SDK with each of its providers, directly and through the proxy.

import { AI_CLIENTS } from "./clients/ai.ts";
import { keyAll } from "./keys.ts";
import { compareAll } from "./matrix.ts";
import { promptAll } from "./prompts.ts";
import { useRig } from "./rig.ts";

const rig = useRig();
compareAll(rig, AI_CLIENTS);
promptAll(rig, AI_CLIENTS);
keyAll(rig, AI_CLIENTS);
