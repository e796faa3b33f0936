// Runs the control Worker in this process until it is killed. Its KV namespace is the one that the edges have: a
// control that dies must not take their KV with it.

import { Miniflare } from "miniflare";
import { describeWorker, QUIET } from "./isolates.ts";
import { readModules } from "./modules.ts";

export type ControlProcessOptions = {
  persist: string;
  bundle: string;
  harnessPort: number;
  vars: Record<string, string>;
};

const { persist, bundle, harnessPort, vars } = JSON.parse(process.argv[2] ?? "") as ControlProcessOptions;
const modules = await readModules(bundle);
const miniflare = new Miniflare({
  ...QUIET,
  resourcePersistencePath: persist,
  workers: [describeWorker({ name: "control", modules, vars, objects: "own", harnessPort })],
});
await miniflare.ready;
console.log("ready");
