// The official Anthropic SDK, directly and through the proxy.

import { ANTHROPIC_CLIENTS } from "./clients/anthropic.ts";
import { keyAll } from "./keys.ts";
import { compareAll } from "./matrix.ts";
import { promptAll } from "./prompts.ts";
import { useRig } from "./rig.ts";

const rig = useRig();
compareAll(rig, ANTHROPIC_CLIENTS);
promptAll(rig, ANTHROPIC_CLIENTS);
keyAll(rig, ANTHROPIC_CLIENTS);
