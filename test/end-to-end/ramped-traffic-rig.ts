// The rig behind ramps under real traffic: a provider that is rate-limited as a rule and whose answers vary much, so that a
// few hundred of them prove what thousands would where nothing ever fails, and a busy machine is no incident; and the
// ramp as the API shows it.

import type { RampView } from "../../src/core/ramps.ts";
import type { ReleaseView } from "../../src/core/types.ts";
import {
  connect,
  createRollout,
  startChats,
  type Behaviour,
  type Provider,
  type Version,
} from "./guardrails-rig.ts";
import { callAdmin } from "./rollback-rig.ts";

type Edge = { name: string; url: string };

const AS_USUAL: Partial<Behaviour> = {
  status: 429,
  failing: 0.25,
  isLongTailed: true,
  firstTokenMs: 120,
  totalMs: 240,
};

/** Requests of the baseline alone after which it is known what is usual. */
const KNOWN_AFTER = 720;
/** Per edge: as many as two cores can bear. */
const LOOPS = 28;
/** Of one wait: far more than two free cores need. */
export const DEADLINE_MS = 60_000;

/** Of a test with so many waits, `rampUnderTraffic` with its one or two among them, and of all else in it. */
export function timeoutOf(waits: number): { timeout: number } {
  return { timeout: (waits + 1) * DEADLINE_MS };
}

export type Ramped = Awaited<ReturnType<typeof rampUnderTraffic>>;

/** A prompt whose version 2 is ramped while chats go on; `adminUrl` of any isolate. */
export async function rampUnderTraffic(
  rig: { adminUrl: string; edges: Edge[]; provider: Provider },
  prompt: string,
  plan: object,
  { isKnown = false }: { isKnown?: boolean } = {},
) {
  const { adminUrl, edges, provider } = rig;
  const behave = (of: Partial<Behaviour>, canary = of) =>
    provider.behave(prompt, { baseline: { ...AS_USUAL, ...of }, canary: { ...AS_USUAL, ...canary } });
  const must = <Body>(method: string, path: string, body?: object) =>
    callAdmin<Body>(adminUrl, method, `/admin/prompts/${prompt}${path === "" ? "" : `/${path}`}`, body);
  const readRamp = async () => (await must<{ ramp: RampView | null }>("GET", "ramp")).ramp;

  behave({});
  await createRollout(adminUrl, prompt, 0);
  const chats = startChats(edges, prompt, LOOPS);
  const admin = connect(adminUrl, prompt, chats);
  if (isKnown)
    await chats.until(() => chats.answered() > KNOWN_AFTER, DEADLINE_MS, "it is known what is usual");
  await must("POST", "ramp", { version: 2, ...plan });
  const servedBy = (version: Version, sentAfterMs: number) =>
    provider.dispatches.filter(
      (one) => one.prompt === prompt && one.version === version && one.sentAtMs > sentAfterMs,
    );
  await chats.until(() => servedBy("canary", 0).length > 0, DEADLINE_MS, "the canary is served");
  return {
    ...admin,
    chats,
    behave,
    readRamp,
    /** The chats that set out after that time and came to the provider with the version. */
    servedBy,
    must,
    readRelease: () => must<ReleaseView>("GET", "release"),
    /** Oldest first: what was done to the ramp, and the canary's weight after it. */
    async readSteps() {
      const revisions = (await admin.revisions()).toReversed();
      return revisions.flatMap(({ ramp, actor, after }) =>
        ramp === undefined
          ? []
          : [`${ramp.event} by ${actor}: ${after.arms.find(({ version }) => version === 2)?.weight ?? 0} %`],
      );
    },
    /** Oldest first. */
    async readRampEvents() {
      const events = (await admin.events()).filter(({ kind }) => kind === "ramp");
      return events.map(({ says }) => says).toReversed();
    },
    untilRamp: (is: (ramp: RampView) => boolean, what: string) =>
      chats.until(
        async () => {
          const ramp = await readRamp();
          return ramp !== null && is(ramp) && ramp;
        },
        DEADLINE_MS,
        `${prompt}: ${what}`,
      ),
  };
}
