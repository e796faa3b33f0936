// The AWS SDK's Bedrock Runtime client, directly and through the proxy.

import { BEDROCK_CLIENTS } from "./clients/bedrock.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), BEDROCK_CLIENTS);
