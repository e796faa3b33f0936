// Every row of the matrix.

import { AI_CLIENTS } from "./ai.ts";
import { ANTHROPIC_CLIENTS } from "./anthropic.ts";
import { BEDROCK_CLIENTS } from "./bedrock.ts";
import type { Client } from "./client.ts";
import { GEMINI_CLIENTS } from "./gemini.ts";
import { LANGCHAIN_CLIENTS } from "./langchain.ts";
import { OPENAI_CLIENTS } from "./openai.ts";

export const CLIENTS: Client[] = [
  ...OPENAI_CLIENTS,
  ...ANTHROPIC_CLIENTS,
  ...GEMINI_CLIENTS,
  ...BEDROCK_CLIENTS,
  ...AI_CLIENTS,
  ...LANGCHAIN_CLIENTS,
];
