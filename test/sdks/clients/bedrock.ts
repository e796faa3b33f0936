// The AWS SDK's Bedrock Runtime client, authenticated with a Bedrock API key (a bearer token), as behind the proxy a
// SigV4 signature for the proxy's host would be worth nothing to AWS.

import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { PIXEL } from "../provider/stand-in.ts";
import {
  CITY_SCHEMA,
  type Client,
  collect,
  KEY,
  MODEL,
  type Options,
  QUESTION,
  readPastFirst,
  type Site,
  WEATHER,
} from "./client.ts";

const modelId = MODEL.bedrock;
const ask: ConverseCommandInput = {
  modelId,
  messages: [{ role: "user", content: [{ text: QUESTION }] }],
  inferenceConfig: { maxTokens: 64 },
};
const toolSpec = { name: WEATHER.name, inputSchema: { json: { ...WEATHER.schema, required: ["city"] } } };
const toolConfig = { tools: [{ toolSpec }] };

/** A bearer token, or the access key id of a signature. */
type Credential =
  | Pick<BedrockRuntimeClientConfig, "token" | "authSchemePreference">
  | Pick<BedrockRuntimeClientConfig, "credentials">;

function connect(
  site: Site,
  options: Options,
  credential: Credential = {
    token: { token: options.key ?? KEY.bedrock },
    authSchemePreference: ["httpBearerAuth"],
  },
): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: site,
    ...credential,
    maxAttempts: options.retries + 1,
    // Its usual handler speaks HTTP/2 only, which a plain-text loopback server does not.
    requestHandler: new NodeHttpHandler({
      ...(options.timeoutMs !== undefined && {
        requestTimeout: options.timeoutMs,
        throwOnRequestTimeout: true,
      }),
    }),
  });
  const { headers } = options;
  if (headers !== undefined) {
    client.middlewareStack.add(
      (next) => (sent) => {
        Object.assign((sent.request as { headers: object }).headers, headers);
        return next(sent);
      },
      { step: "build" },
    );
  }
  return client;
}

function withSignal({ signal }: Options): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** Without what differs from call to call. */
function plain({
  $metadata,
  ...answer
}: {
  $metadata: { httpStatusCode?: number; requestId?: string };
}): unknown {
  const { httpStatusCode, requestId } = $metadata;
  return { ...answer, status: httpStatusCode, requestId };
}

const RAISED: { [status: number]: string } = {
  400: "ValidationException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  409: "ConflictException",
  429: "ThrottlingException",
  500: "InternalServerException",
};

const shared = {
  package: "@aws-sdk/client-bedrock-runtime",
  provider: "bedrock",
  standIn: "bedrock",
  baseUrl: "`endpoint: …/bedrock`",
  headersOf: { absent: "the SDK shows only `$metadata`" },
  obeys: { "retry-after": true, "x-should-retry": false },
  raises: (status: number) => RAISED[status] ?? "BedrockRuntimeServiceException",
  raisesOurs: { 401: "AccessDeniedException", 410: "ResourceNotFoundException" },
} satisfies Partial<Client>;

const CONVERSE: Client = {
  ...shared,
  name: "Bedrock Converse",
  place: "systemBlocks",
  calls: {
    chat: async (site, options) =>
      plain(await connect(site, options).send(new ConverseCommand(ask), withSignal(options))),
    stream: async (site, options) =>
      collect((await connect(site, options).send(new ConverseStreamCommand(ask))).stream!),
    async tools(site, options) {
      const client = connect(site, options);
      const asked = await client.send(new ConverseCommand({ ...ask, toolConfig }));
      const streamed = await client.send(new ConverseStreamCommand({ ...ask, toolConfig }));
      const events = await collect(streamed.stream!);
      const said = asked.output!.message!;
      const toolResult = { toolUseId: said.content![0]!.toolUse!.toolUseId, content: [{ text: "-4" }] };
      const answered = await client.send(
        new ConverseCommand({
          ...ask,
          toolConfig,
          messages: [...ask.messages!, said, { role: "user", content: [{ toolResult }] }],
        }),
      );
      return { asked: plain(asked), events, answered: plain(answered) };
    },
    async structured(site, options) {
      const jsonSchema = { name: "city", schema: JSON.stringify(CITY_SCHEMA) };
      const outputConfig = { textFormat: { type: "json_schema" as const, structure: { jsonSchema } } };
      const said = await connect(site, options).send(new ConverseCommand({ ...ask, outputConfig }));
      return JSON.parse(said.output!.message!.content![0]!.text!);
    },
    async imageInput(site, options) {
      const image = { format: "png" as const, source: { bytes: Buffer.from(PIXEL, "base64") } };
      const messages = [{ role: "user" as const, content: [{ image }, { text: QUESTION }] }];
      return plain(await connect(site, options).send(new ConverseCommand({ ...ask, messages })));
    },
    imageOutput: { absent: "under Invoke" },
    embeddings: { absent: "under Invoke" },
    upload: { absent: "no endpoint" },
    transcribe: { absent: "no endpoint" },
    speech: { absent: "no endpoint" },
    models: { absent: "another service" },
    async count(site, options) {
      const input = { converse: { messages: ask.messages! } };
      return plain(await connect(site, options).send(new CountTokensCommand({ modelId, input })));
    },
  },
  readOn: async (site, options, seen) => {
    const answer = await connect(site, options).send(new ConverseStreamCommand(ask), withSignal(options));
    return readPastFirst(answer.stream!, seen);
  },
};

/** A chat that the SDK signs with this access key id and a secret of no worth. */
export async function chatSigned(site: Site, accessKeyId: string): Promise<unknown> {
  const credentials = { accessKeyId, secretAccessKey: "of-no-worth" };
  return plain(await connect(site, { retries: 0 }, { credentials }).send(new ConverseCommand(ask)));
}

/** The body of Claude's models on Bedrock. */
const invocation = {
  modelId,
  contentType: "application/json",
  body: JSON.stringify({
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 64,
    messages: [{ role: "user", content: QUESTION }],
  }),
};

async function invoke(site: Site, options: Options, model: string, body: object): Promise<unknown> {
  const command = new InvokeModelCommand({ ...invocation, modelId: model, body: JSON.stringify(body) });
  return JSON.parse((await connect(site, options).send(command)).body.transformToString());
}

const INVOKE: Client = {
  ...shared,
  name: "Bedrock Invoke",
  standIn: "bedrockInvoke",
  place: "system",
  calls: {
    async chat(site, options) {
      const said = await connect(site, options).send(new InvokeModelCommand(invocation), withSignal(options));
      return JSON.parse(said.body.transformToString());
    },
    async stream(site, options) {
      const command = new InvokeModelWithResponseStreamCommand(invocation);
      const events = await collect((await connect(site, options).send(command)).body!);
      return events.map(({ chunk }) => JSON.parse(Buffer.from(chunk!.bytes!).toString()) as unknown);
    },
    tools: { absent: "as under Anthropic" },
    structured: { absent: "as under Anthropic" },
    imageInput: { absent: "as under Anthropic" },
    imageOutput: (site, options) =>
      invoke(site, options, "amazon.titan-image-generator-v2:0", { taskType: "x" }),
    embeddings: (site, options) =>
      invoke(site, options, "amazon.titan-embed-text-v2:0", { inputText: QUESTION }),
    upload: { absent: "no endpoint" },
    transcribe: { absent: "no endpoint" },
    speech: { absent: "no endpoint" },
    models: { absent: "another service" },
    async count(site, options) {
      const input = { invokeModel: { body: Buffer.from(invocation.body) } };
      return plain(await connect(site, options).send(new CountTokensCommand({ modelId, input })));
    },
  },
  readOn: async (site, options, seen) => {
    const command = new InvokeModelWithResponseStreamCommand(invocation);
    return readPastFirst((await connect(site, options).send(command, withSignal(options))).body!, seen);
  },
};

export const BEDROCK_CLIENTS: Client[] = [CONVERSE, INVOKE];
