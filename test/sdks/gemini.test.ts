// Google's SDK for Gemini, directly and through the proxy.

import { GEMINI_CLIENTS } from "./clients/gemini.ts";
import { keyAll } from "./keys.ts";
import { compareAll } from "./matrix.ts";
import { promptAll } from "./prompts.ts";
import { useRig } from "./rig.ts";

const rig = useRig();
compareAll(rig, GEMINI_CLIENTS);
promptAll(rig, GEMINI_CLIENTS);
keyAll(rig, GEMINI_CLIENTS);
