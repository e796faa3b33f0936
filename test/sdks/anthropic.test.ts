// The official Anthropic SDK, directly and through the proxy.

import { ANTHROPIC_CLIENTS } from "./clients/anthropic.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), ANTHROPIC_CLIENTS);
