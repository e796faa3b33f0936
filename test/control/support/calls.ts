// What a test or the bench asks of the Worker around the objects, as it goes over the socket.

import type { ControlPort, RegistryPort } from "../../../src/core/ports.ts";

export type ObjectCall =
  | { object: "control"; prompt: string; method: keyof ControlPort; args: unknown[] }
  | { object: "registry"; method: keyof RegistryPort; args: unknown[] };

/** `calls` syncs, `atOnce` under way at any time; with `reporting` each carries a report of two tallies. */
export type Load = { prompt: string; calls: number; atOnce: number; reporting: boolean };
