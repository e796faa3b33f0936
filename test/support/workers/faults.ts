// What a test can break in one isolate of a cluster while it runs, as plain data: the calls to Control, to Registry
// and to KV, and digests, which take as long as an isolate with too much to do lets them. Held per isolate, so that one edge can be cut off while its neighbours are not.

/** `dead` fails at once, `silent` never answers; neither lets the call happen. `delayMs` passes before the call,
 * `answerDelayMs` after it and before its answer leaves. Of syncs alone: every `loseEvery`th answer is lost on its way, and
 * every `repeatEvery`th call arrives twice. `lacks`: methods that an object of another deployment does not have; `*`: any. */
export type Fault =
  | "none"
  | "dead"
  | "silent"
  | { delayMs?: number; answerDelayMs?: number; loseEvery?: number; repeatEvery?: number; lacks?: string[] };

/** `frozen`: this isolate reads KV as it was when the fault began; writes still arrive. */
export type Faults = { control: Fault; registry: Fault; store: Fault | "frozen"; crypto: Fault };

export type Room = keyof Faults;

/** How often this isolate called or served what, by `room.method`. */
export type Calls = { [name: string]: number };

/** Long past the end of any test; a promise without a timer behind it would be seen as a hung script and cancelled. */
const NEVER_MS = 3_600_000;

export const faults: Faults = { control: "none", registry: "none", store: "none", crypto: "none" };
export const calls: Calls = {};

/** Makes one call under the fault that its room has at this moment. */
export async function callUnderFault<Result>(
  room: Room,
  method: string,
  call: () => Promise<Result> | Result,
): Promise<Result> {
  const name = `${room}.${method}`;
  const count = noteCall(name);
  const fault = faults[room];
  if (fault === "dead") throw new Error(`${name} failed: the harness made it fail`);
  if (fault === "silent") await wait(NEVER_MS);
  if (typeof fault === "string") return call();
  await wait(fault.delayMs ?? 0);
  const isSync = method === "sync";
  if (isSync && isDue(count, fault.repeatEvery)) {
    noteCall(`${name} repeated`);
    await call();
  }
  const result = await call();
  await wait(fault.answerDelayMs ?? 0);
  if (isSync && isDue(count, fault.loseEvery)) {
    noteCall(`${name} lost`);
    throw new Error(`the answer to ${name} was lost: the harness lost it`);
  }
  return result;
}

/** Under which name a method is called: one that nobody has where the object lacks it, so that the runtime itself refuses. */
export function methodUnderFault(room: Room, method: string): string {
  const fault = faults[room];
  const lacks = typeof fault === "string" ? [] : (fault.lacks ?? []);
  return lacks.includes(method) || lacks.includes("*") ? `${method}OfAnotherDeployment` : method;
}

function noteCall(name: string): number {
  calls[name] = (calls[name] ?? 0) + 1;
  return calls[name];
}

function isDue(count: number, every: number | undefined): boolean {
  return every !== undefined && count % every === 0;
}

async function wait(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
