// The AWS SDK's Bedrock Runtime client, directly and through the proxy.

import { expect, test } from "vitest";
import { BEDROCK_CLIENTS, chatSigned } from "./clients/bedrock.ts";
import { expectSigned, keyAll } from "./keys.ts";
import { compareAll } from "./matrix.ts";
import { BEDROCK } from "./provider/bedrock.ts";
import { promptAll } from "./prompts.ts";
import { useRig } from "./rig.ts";

const rig = useRig();
compareAll(rig, BEDROCK_CLIENTS);
promptAll(rig, BEDROCK_CLIENTS);
keyAll(rig, BEDROCK_CLIENTS);

test("a key of ours may be the access key id that the SDK signs with", async () => {
  rig.play(BEDROCK.answer);
  const proxied = await chatSigned(`${rig.front.url}/bedrock`, rig.proxyKey);
  expect(proxied).toEqual(await chatSigned(rig.direct.url, "AKID"));
  const [reached] = rig.behind.exchanges();
  expectSigned(reached!);
  expect(JSON.stringify(reached!.request.headers)).not.toContain("sb_");
});
