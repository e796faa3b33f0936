// Where a prompt's system text stands in a body that the provider got, for every format.

import type { Exchange } from "../support/tap.ts";
import type { Place } from "./clients/client.ts";

type Body = { [field: string]: unknown };

const FINDERS: Record<Place, (body: Body) => unknown> = {
  messages: ({ messages }) => (messages as { role: string; content: unknown }[])[0]?.content,
  instructions: ({ instructions }) => instructions,
  system: ({ system }) => system,
  systemInstruction: ({ systemInstruction, system_instruction: other }) =>
    ((systemInstruction ?? other) as { parts: { text: string }[] }).parts[0]?.text,
  systemBlocks: ({ system }) => (system as { text: string }[])[0]?.text,
};

/** The system text of what the provider got. */
export function systemOf({ request }: Exchange, place: Place): unknown {
  return FINDERS[place](turnOf(JSON.parse(request.body.toString()) as Body));
}

/** The turn itself, which token counts of Gemini and Bedrock wrap up. */
function turnOf(body: Body): Body {
  const { generateContentRequest, input } = body as { generateContentRequest?: Body; input?: unknown };
  const { converse, invokeModel } = Object(input) as { converse?: Body; invokeModel?: { body: string } };
  if (invokeModel !== undefined)
    return JSON.parse(Buffer.from(invokeModel.body, "base64").toString()) as Body;
  return generateContentRequest ?? converse ?? body;
}
