// The official OpenAI SDK, v4 to v7, directly and through the proxy.

import { OPENAI_CLIENTS } from "./clients/openai.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), OPENAI_CLIENTS);
