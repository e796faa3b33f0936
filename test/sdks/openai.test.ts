// The official OpenAI SDK, v4 to v7, directly and through the proxy.

import { OPENAI_CLIENTS } from "./clients/openai.ts";
import { keyAll } from "./keys.ts";
import { compareAll } from "./matrix.ts";
import { promptAll } from "./prompts.ts";
import { useRig } from "./rig.ts";

const rig = useRig();
compareAll(rig, OPENAI_CLIENTS);
promptAll(rig, OPENAI_CLIENTS);
keyAll(rig, OPENAI_CLIENTS);
