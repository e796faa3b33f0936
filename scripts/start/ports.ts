// Which TCP ports of the loopback interface are free.

import { createServer } from "node:net";

const TRIES = 50;

/** True when a server could listen on 127.0.0.1:port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** `preferred` or the first free port after it. Throws when 50 in a row are taken. */
export async function firstFreePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + TRIES; port += 1) {
    if (await isPortFree(port)) return port;
  }
  throw new Error(`All ports from ${preferred} to ${preferred + TRIES - 1} are taken.`);
}
