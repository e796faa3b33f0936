#!/usr/bin/env node
// Starts the command line on whatever Node the machine has. The rest of the program is TypeScript that Node runs
// as it is (type stripping: 22.18 and later); an older Node hands over to the checkout's own, the npm package `node`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

/** Set for the second start, so that a checkout's Node that is too old ends in a message and not in a loop. */
const RELAUNCHED = "SWITCHBACK_RELAUNCHED";

if (process.features.typescript) {
  await runHere();
} else {
  relaunch();
}

async function runHere() {
  silenceTypeStrippingWarning();
  // Stripped and compiled sources are kept between runs: 0.2 s instead of 0.3 s to the first request.
  module.enableCompileCache?.();
  const { main } = await import("./main.ts");
  process.exitCode = await main(process.argv.slice(2));
}

/** Node 22.18 runs TypeScript but still calls it experimental on stderr at every start. */
function silenceTypeStrippingWarning() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes("Type Stripping")) emitWarning.call(process, warning, ...rest);
  };
}

function relaunch() {
  const file = process.platform === "win32" ? "node.exe" : "node";
  const ownNode = fileURLToPath(new URL(`../../node_modules/node/bin/${file}`, import.meta.url));
  if (process.env[RELAUNCHED] || !existsSync(ownNode)) {
    console.error(
      `switchback: Node ${process.versions.node} cannot run this program by itself.\n` +
        "Run `npm ci` in the checkout (it brings a Node of its own), or use Node 22.18 or later.",
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, [RELAUNCHED]: "1" },
  });
  // Ctrl-C reaches the child by itself (one terminal, one process group); this process only has to outlive it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    console.error(`switchback: the checkout's own Node does not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
