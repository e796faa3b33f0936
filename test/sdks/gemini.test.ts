// Google's SDK for Gemini, directly and through the proxy.

import { GEMINI_CLIENTS } from "./clients/gemini.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), GEMINI_CLIENTS);
