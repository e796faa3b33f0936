// Tests wait for what they can observe, never for time to pass.

/** How often a condition is looked at: short beside any deadline, long enough to leave the machine to the others. */
const LOOK_EVERY_MS = 10;

/** Resolves with the first value of `look` that is neither false, null nor undefined. After `deadlineMs` it throws,
 * naming `what` was waited for and what the last look said. A `look` that throws counts as "not yet". */
export async function until<Value>(
  look: () => Value | Promise<Value>,
  deadlineMs = 5_000,
  what = look.toString(),
): Promise<Exclude<Value, false | null | undefined>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await look();
      if (value !== false && value !== null && value !== undefined) return value as never;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${deadlineMs} ms: ${what} (last: ${String(last)})`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
