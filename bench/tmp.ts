import { mkdtempSync, readFileSync } from "node:fs";
import { startScript } from "./contenders.ts";
const c = await startScript(mkdtempSync("/tmp/micro-"), "micro", readFileSync("/tmp/large/wire.js","utf8"), "");
console.log(await (await fetch(`http://127.0.0.1:${c.port}/`)).text());
c.process.kill("SIGKILL"); process.exit();
