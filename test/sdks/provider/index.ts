// The stand-in providers by name.

import type { StandInName } from "../clients/client.ts";
import { ANTHROPIC } from "./anthropic.ts";
import { BEDROCK, BEDROCK_INVOKE } from "./bedrock.ts";
import { GEMINI } from "./gemini.ts";
import { OPENAI, OPENAI_RESPONSES } from "./openai.ts";
import type { StandIn } from "./stand-in.ts";

export const STAND_INS: Record<StandInName, StandIn> = {
  openai: OPENAI,
  openaiResponses: OPENAI_RESPONSES,
  anthropic: ANTHROPIC,
  gemini: GEMINI,
  bedrock: BEDROCK,
  bedrockInvoke: BEDROCK_INVOKE,
};
