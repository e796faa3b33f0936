// LangChain's integrations, directly and through the proxy.

import { LANGCHAIN_CLIENTS } from "./clients/langchain.ts";
import { keyAll } from "./keys.ts";
import { compareAll } from "./matrix.ts";
import { promptAll } from "./prompts.ts";
import { useRig } from "./rig.ts";

const rig = useRig();
compareAll(rig, LANGCHAIN_CLIENTS);
promptAll(rig, LANGCHAIN_CLIENTS);
keyAll(rig, LANGCHAIN_CLIENTS);
