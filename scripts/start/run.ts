// One local Switchback, from nothing to ready: token → stand-in provider → Worker → demo. `npm start` and the tests
// run the same code. Guarantee: whatever fails on the way, what was started before it is stopped again.

import * as z from "zod";
import { providerSchema } from "../../src/admin/schemas.ts";
import { findToken, homeAt, readDevVars, writeLocal, writePrivately } from "./home.ts";
import { isPortFree } from "./ports.ts";
import { seedDemo } from "./demo.ts";
import { startStandIn, type StandIn } from "./stand-in.ts";
import { startWorker, type WorkerProcess } from "./worker.ts";
import { formatEnvFile, realProviders, workerVars } from "./worker-vars.ts";

export type StartOptions = {
  /** Directory of wrangler.toml. */
  checkout: string;
  /** Directory that keeps .dev.vars, .switchback and .wrangler/state. */
  homeDir: string;
  port: number;
  /** The stand-in provider takes this port or the next free one. */
  standInPort: number;
  /** Aborted: what has been started is stopped again, and the start fails. */
  signal?: AbortSignal;
};

export type Running = {
  url: string;
  token: string;
  standInUrl: string;
  real: string[];
  demo: "seeded" | "present";
  /** What is wrong with the providers' configuration, a line each. */
  problems: string[];
  worker: WorkerProcess;
  stop(): Promise<void>;
};

/** An expected reason not to start; `detail` is wrangler's own output, if it is what failed. */
export type StartFailure = { failure: string; detail?: string };

const READY_DEADLINE_MS = 120_000;
const POLL_MS = 100;

export async function startSwitchback(options: StartOptions): Promise<Running | StartFailure> {
  if (!(await isPortFree(options.port))) {
    return {
      failure: `Port ${options.port} is taken (another npm start?). Stop what runs there, or choose one: PORT=${options.port + 1} npm start`,
    };
  }
  const home = homeAt(options.homeDir);
  const devVars = await readDevVars(home);
  const token = await findToken(home, devVars);
  const standIn = await startStandIn(options.standInPort);
  const url = `http://127.0.0.1:${options.port}`;
  await writeLocal(home, { url, token });
  await writePrivately(home.workerVars, formatEnvFile(workerVars(devVars, token, standIn.url)));
  const worker = startWorker(options.checkout, home, options.port);
  const stop = async () => {
    await worker.stop();
    await standIn.stop();
  };
  const { signal = null } = options;
  return await finishStart({ url, token, standIn, worker, stop, real: realProviders(devVars), signal });
}

type Parts = {
  signal: AbortSignal | null;
  url: string;
  token: string;
  standIn: StandIn;
  worker: WorkerProcess;
  stop(): Promise<void>;
  real: string[];
};

async function finishStart({ standIn, signal, ...parts }: Parts): Promise<Running | StartFailure> {
  const readiness = await waitUntilReady(parts, signal);
  if (readiness !== "ready") {
    await parts.stop();
    return { failure: readiness, detail: parts.worker.output() };
  }
  try {
    const demo = await seedDemo(parts.url, parts.token);
    const problems = await readProblems(parts.url, parts.token);
    return { ...parts, standInUrl: standIn.url, demo, problems };
  } catch (error) {
    await parts.stop();
    return { failure: error instanceof Error ? error.message : String(error), detail: parts.worker.output() };
  }
}

/** Asks the admin API until it answers, the Worker dies or the deadline is over. */
async function waitUntilReady(
  parts: Pick<Parts, "url" | "token" | "worker">,
  signal: AbortSignal | null,
): Promise<string> {
  let dead = false;
  void parts.worker.ended.then(() => (dead = true));
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline) {
    if (signal?.aborted) return "Stopped before it was ready.";
    if (dead) return "The Worker did not start. wrangler said:";
    const status = await readStatus(`${parts.url}/admin/prompts`, parts.token);
    if (status === 200) return "ready";
    if (status === 401 || status === 403) return "The Worker does not take the admin token.";
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return `The Worker was not ready within ${READY_DEADLINE_MS / 1000} s. wrangler said:`;
}

async function readProblems(url: string, token: string): Promise<string[]> {
  const response = await fetch(`${url}/admin/providers`, { headers: { authorization: `Bearer ${token}` } });
  const { providers } = z.object({ providers: z.array(providerSchema) }).parse(await response.json());
  return providers.flatMap(({ name, problems }) =>
    problems.map(({ message, mend }) => `${name}: ${message} ${mend}`),
  );
}

async function readStatus(url: string, token: string): Promise<number | null> {
  try {
    const signal = AbortSignal.timeout(5_000);
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
