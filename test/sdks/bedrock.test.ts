// bedrock

import { BEDROCK_CLIENTS } from "./clients/bedrock.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), BEDROCK_CLIENTS);
