// What the matrix runs on: two stand-in providers that answer alike, each behind a tap; one is asked directly, the
// other through the proxy, which has a tap in front of it too. So one call can be made both ways at the same time, and
// every byte of both can be compared.

import { afterAll, beforeAll } from "vitest";
import { type Admin, connectAdmin } from "../support/admin.ts";
import { startCluster } from "../support/cluster.ts";
import { startTap, type Tap } from "../support/tap.ts";
import { type Script, startUpstream, type Upstream } from "../support/upstream.ts";

export const PROMPT = "support-bot";
export const SYSTEM = "You are the support bot of Acme. 🤖";
export const TEMPLATED = "templated";
/** Its second version is revoked. */
export const REVOKING = "revoking";

/** Its second version is a canary that gets every request. */
export const SHIELDED = "shielded";
export const CANARY = "You are on trial.";

/** What the Worker holds for the providers, for callers with a proxy key. */
export const HELD = {
  OPENAI_API_KEY: "sk-held",
  ANTHROPIC_API_KEY: "sk-ant-held",
  GEMINI_API_KEY: "AIza-held",
  AWS_ACCESS_KEY_ID: "AKIDHELD",
  AWS_SECRET_ACCESS_KEY: "secret-held",
  AWS_REGION: "us-east-1",
};

export type Rig = {
  /** A key of the proxy's own (`sb_…`). */
  proxyKey: string;
  /** The provider that is asked directly. */
  direct: Upstream;
  /** The provider behind the proxy. */
  behind: Upstream;
  /** In front of the proxy. */
  front: Tap;
  /** What both providers answer from now on; forgets what was recorded. */
  play(...scripts: [Script, ...Script[]]): void;
  stop(): Promise<void>;
};

/** A rig for the whole test file. Its fields are there once the first `beforeAll` has run. */
export function useRig(): Rig {
  const rig = {} as Rig;
  beforeAll(async () => {
    Object.assign(rig, await startRig());
  });
  afterAll(() => rig.stop?.());
  return rig;
}

async function startRig(): Promise<Rig> {
  const [direct, behind] = await Promise.all([startUpstream(), startUpstream()]);
  const { url } = behind;
  const cluster = await startCluster({
    edges: 1,
    vars: {
      ...HELD,
      UPSTREAM_OPENAI: url,
      UPSTREAM_ANTHROPIC: url,
      UPSTREAM_GEMINI: url,
      UPSTREAM_BEDROCK: url,
    },
  });
  // As the network in front of a deployed Worker makes departures known at once.
  const front = await startTap(cluster.edges[0]!.port, { resetOnLeave: true });
  const admin = connectAdmin(cluster.control.url);
  await pushPrompts(admin);
  const minted = await admin.call<{ key: string }>("POST", "/admin/keys", { name: "sdks" });
  return {
    proxyKey: minted.body.key,
    direct,
    behind,
    front,
    play(...scripts) {
      direct.play(...scripts);
      behind.play(...scripts);
      front.clear();
    },
    async stop() {
      await front.stop();
      await cluster.stop();
      await Promise.all([direct.stop(), behind.stop()]);
    },
  };
}

async function pushPrompts(admin: Admin): Promise<void> {
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: SYSTEM });
  await admin.put(TEMPLATED);
  await admin.push(TEMPLATED, {
    system: "You sell {{product}} in {{city}}.",
    variables: { product: { type: "string", required: true }, city: { type: "string", required: true } },
  });
  await admin.put(REVOKING);
  await admin.push(REVOKING, { system: "one" });
  await admin.push(REVOKING, { system: "two" });
  await admin.revoke(REVOKING, 2);
  await admin.put(SHIELDED);
  await admin.push(SHIELDED, { system: SYSTEM });
  await admin.push(SHIELDED, { system: CANARY });
  await admin.canary(SHIELDED, 2, 100, { transition: "now" });
}
