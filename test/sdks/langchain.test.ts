// LangChain's integrations, directly and through the proxy.

import { LANGCHAIN_CLIENTS } from "./clients/langchain.ts";
import { compareAll } from "./matrix.ts";
import { useRig } from "./rig.ts";

compareAll(useRig(), LANGCHAIN_CLIENTS);
