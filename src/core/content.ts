// A version's content as people write it (contract §3), checked and brought into its one normal form. Guarantees: equal
// meaning gives an equal form (and so an equal digest), the normal form reads back as itself, nothing that was written is
// dropped without a word, and a refusal names every field that is wrong and how to mend it.

import * as z from "zod";
import { OTHER_NAMES, PARAM_NAMES, paramsSchema } from "./content-params.ts";
import { contentProblem, findNearMiss, findUnsafe, readShape, type Advice } from "./content-problems.ts";
import { readResponseFormat, readTools } from "./content-tools.ts";
import type { FieldError, Problem } from "./problem.ts";
import { encodeUtf8 } from "./text.ts";
import type { Content, Json, JsonObject, VariableRule } from "./types.ts";
import { fitsType, nameType, VARIABLE_NAME, VARIABLE_TYPES } from "./variables.ts";

export {
  aliasSchema,
  environmentSchema,
  parsePutPrompt,
  promptNameSchema,
  putPromptSchema,
  versionNumberSchema,
  weightSchema,
} from "./prompt-settings.ts";

const MAX_CONTENT_BYTES = 1_048_576;

const jsonObject = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

const textPart = z.strictObject({ type: z.enum(["text", "input_text", "output_text"]), text: z.string() });
const text = z
  .union([z.string(), z.array(textPart).transform((parts) => parts.map((part) => part.text).join("\n"))], {
    error: (issue) =>
      issue.input === undefined
        ? "is required"
        : 'must be a string, or a list of {"type": "text", "text": …} alone',
  })
  .refine((joined) => joined !== "", "must not be empty");

/** OpenAI's prompts say `developer` for what its models take as system text. */
const role = z
  .enum(["system", "user", "assistant", "developer"])
  .transform((written) => (written === "developer" ? "system" : written));

const message = z.strictObject({ role, content: text });

const variableRule = z
  .strictObject({
    type: z.enum(VARIABLE_TYPES).exactOptional(),
    required: z.boolean().exactOptional(),
    default: (z.unknown() as unknown as z.ZodType<Json>).exactOptional(),
    description: z.string().max(2_000).exactOptional(),
  })
  .superRefine(checkDefault);

function checkDefault(rule: VariableRule, ctx: z.RefinementCtx): void {
  const { type, default: value } = rule;
  if (value === undefined) return;
  const path = ["default"];
  if (value === null) {
    ctx.addIssue({
      code: "custom",
      path,
      message: "must not be null; for a variable that may be left out, set required to false",
    });
  } else if (type !== undefined && !fitsType(value, type)) {
    ctx.addIssue({ code: "custom", path, message: `must be of type ${type}, not ${nameType(value)}` });
  }
}

const variables = z.record(z.string(), variableRule).superRefine((rules, ctx) => {
  for (const name of Object.keys(rules)) {
    if (VARIABLE_NAME.test(name)) continue;
    ctx.addIssue({
      code: "custom",
      path: [name],
      message: "must be called by letters, digits, _ and -, with no digit or - first",
    });
  }
});

const providerName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "must be a provider or a wire format");

/** What people write. The normal form, `Content`, passes too. */
export const contentSchema = z.strictObject({
  messages: z.array(message).max(1_000).exactOptional(),
  system: text.exactOptional(),
  placement: z.enum(["prepend", "append", "replace", "if_absent"]).default("prepend"),
  model: z
    .string()
    .min(1)
    .max(256)
    .refine((name) => !name.startsWith("prompt:"), "must be a provider's model, not a prompt")
    .exactOptional(),
  params: paramsSchema.exactOptional(),
  defaults: paramsSchema.exactOptional(),
  tools: z.array(jsonObject).max(512).exactOptional(),
  response_format: jsonObject.exactOptional(),
  provider_params: z.record(providerName, jsonObject).exactOptional(),
  variables: variables.exactOptional(),
  note: z.string().max(10_000).exactOptional(),
});

const FIELDS = Object.keys(contentSchema.shape);
const TEXT_WORDS = [
  "prompt",
  "instructions",
  "instruction",
  "template",
  "text",
  "content",
  "system_prompt",
  "input",
];

const advise: Advice = (path, key) => {
  const [top] = path;
  const param = OTHER_NAMES.get(key) ?? findNearMiss(key, PARAM_NAMES);
  if (top === undefined) {
    if (TEXT_WORDS.includes(key)) return "; did you mean system or messages?";
    const field = findNearMiss(key, FIELDS) ?? (param === null ? null : `params.${param}`);
    return field === null ? `; the fields of a content are ${FIELDS.join(", ")}` : `; did you mean ${field}?`;
  }
  if (top === "params" || top === "defaults") {
    if (param !== null) return `; did you mean ${param}?`;
    if (FIELDS.includes(key)) return "; it belongs at the top of the content";
    return `; put what one provider alone takes under provider_params, such as provider_params.openai.${key}`;
  }
  if (top === "system" || path.includes("content")) return "; a part has a type and a text";
  if (top === "messages") return "; a message has a role and a content";
  return top === "variables" ? "; a variable has a type, required, default and description" : "";
};

/** `invalid_request`: `field` is the JSON path of the first error, `errors` are all of them (50 at most). */
export function parseContent(input: unknown): Content | Problem {
  const unsafe = findUnsafe(input);
  if (unsafe !== null) return contentProblem([unsafe]);
  if (encodeUtf8(JSON.stringify(input)).length > MAX_CONTENT_BYTES) {
    return contentProblem([{ field: "content", message: `must take ${MAX_CONTENT_BYTES} bytes at most` }]);
  }
  const read = readShape(contentSchema, input, [], advise);
  if ("errors" in read) return contentProblem(read.errors);
  return normaliseContent(read.value);
}

type WrittenContent = z.infer<typeof contentSchema>;

function normaliseContent(written: WrittenContent): Content | Problem {
  const { messages = [], system, placement, model, note } = written;
  const tools = readTools(written.tools ?? []);
  const format = written.response_format && readResponseFormat(written.response_format);
  const errors: FieldError[] = [
    ...("errors" in tools ? tools.errors : []),
    ...(format !== undefined && "errors" in format ? format.errors : []),
  ];
  if (system !== undefined && messages.length > 0) {
    errors.push({
      field: "system",
      message: "must not stand beside messages; make it a message with the role system",
    });
  }
  const content: Content = {
    messages: system === undefined ? messages : [{ role: "system", content: system }],
    placement,
    ...(model === undefined ? {} : { model }),
    ...unlessEmpty("params", written.params as JsonObject | undefined),
    ...unlessEmpty("defaults", written.defaults as JsonObject | undefined),
    ...unlessEmpty("tools", "value" in tools ? tools.value : undefined),
    ...(format !== undefined && "value" in format ? { response_format: format.value } : {}),
    ...unlessEmpty("provider_params", dropEmptyMembers(written.provider_params)),
    ...unlessEmpty("variables", written.variables),
    ...(note === undefined || note === "" ? {} : { note }),
  };
  if (errors.length === 0 && !saysSomething(content))
    errors.push({ field: "content", message: NOTHING_SAID });
  return errors.length > 0 ? contentProblem(errors) : content;
}

const NOTHING_SAID =
  "must hold a text (system or messages), or at least a model, params, tools or a response_format";

function saysSomething({
  placement: _placement,
  note: _note,
  variables: _variables,
  ...rest
}: Content): boolean {
  return rest.messages.length > 0 || Object.keys(rest).length > 1;
}

/** An empty list or object says what its absence says, and must not make another digest. */
function unlessEmpty<Key extends string, Value extends object>(key: Key, value: Value | undefined) {
  const isEmpty = value === undefined || Object.keys(value).length === 0;
  return (isEmpty ? {} : { [key]: value }) as { [name in Key]?: Value };
}

function dropEmptyMembers(members: { [key: string]: JsonObject } | undefined): { [key: string]: JsonObject } {
  return Object.fromEntries(
    Object.entries(members ?? {}).filter(([, value]) => Object.keys(value).length > 0),
  );
}
