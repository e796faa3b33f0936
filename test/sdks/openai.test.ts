// The OpenAI SDK, v4 to v7.

import { OPENAI_CLIENTS } from "./clients/openai.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), OPENAI_CLIENTS);
