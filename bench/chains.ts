// `npx node bench/chains.ts`: what it costs that chains of responses keep their version: CPU of the whole process (the edge,
// Control and its SQLite) a request, turns that are noted, known and asked for beside ones that say their key. A promotion
// drains, so every turn without a key is noted: the dearest that a release can be.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { callAdmin, startSwitchback, type Contender } from "./contenders.ts";
import { cpuMsOf, median, runLoad } from "./load.ts";

const REQUESTS = 1_500;
const CONCURRENCY = 16;
const CHUNKS = 50;
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 7);

type Turn = { headers: Record<string, string>; previous: string | null };

let serial = 0;
let answered = "";

/** The first is what the others are compared with. */
const CASES: { [name: string]: () => Turn } = {
  "says its key": () => ({ headers: { "prompt-key": `caller-${(serial += 1)}` }, previous: null }),
  "begins a chain, which is noted and told": () => ({ headers: {}, previous: null }),
  "goes on from a response known here": () => ({ headers: {}, previous: answered }),
  "goes on from a response that Control is asked for": () => ({
    headers: {},
    previous: `resp_x${(serial += 1)}`,
  }),
};

const upstream = createServer((request, response) => {
  request.on("data", () => {});
  request.on("end", () => answer(response, request.headers["x-bench"] === "stream"));
}).listen(0, "127.0.0.1");
upstream.keepAliveTimeout = 600_000;
await new Promise((resolve) => upstream.once("listening", resolve));

function answer(response: ServerResponse, streams: boolean): void {
  answered = `resp_${(serial += 1)}`;
  const body = {
    id: answered,
    object: "response",
    status: "completed",
    output: [],
    instructions: "x".repeat(2_000),
  };
  if (!streams) {
    const text = JSON.stringify(body);
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(
    `event: response.created\ndata: ${JSON.stringify({ type: "response.created", response: body })}\n\n`,
  );
  let left = CHUNKS;
  const send = () => {
    response.write('event: response.output_text.delta\ndata: {"delta":"word "}\n\n');
    left -= 1;
    if (left === 0) response.end();
    else setTimeout(send, 2);
  };
  send();
}

/** Bodies differ, as callers do: each is a request of its own. */
async function measure(contender: Contender, make: () => Turn, streams: boolean): Promise<number> {
  const count = streams ? REQUESTS / 5 : REQUESTS;
  const before = cpuMsOf(contender.process.pid ?? 0);
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const { headers, previous } = make();
      const said = { model: "m", input: `${(serial += 1)}`, stream: streams, previous_response_id: previous };
      await runLoad({
        port: contender.port,
        path: "/p/bench/openai/v1/responses",
        headers: { ...headers, "content-type": "application/json", "x-bench": streams ? "stream" : "json" },
        body: Buffer.from(JSON.stringify(said)),
        count: 1,
        concurrency: 1,
      });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
  return ((cpuMsOf(contender.process.pid ?? 0) - before) * 1_000) / count;
}

const { port } = upstream.address() as AddressInfo;
const contender = await startSwitchback(`http://127.0.0.1:${port}`);
await callAdmin(contender.port, "POST", "/admin/prompts/bench/promote", { version: 2 });
for (const streams of [false, true]) {
  const costs = new Map<string, number[]>(Object.keys(CASES).map((name) => [name, []]));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [name, make] of Object.entries(CASES)) {
      const cost = await measure(contender, make, streams);
      if (round >= 0) costs.get(name)?.push(cost);
    }
  }
  const [plain = []] = costs.values();
  console.log(streams ? `a stream of ${CHUNKS} chunks` : "a whole answer");
  for (const [name, values] of costs) {
    const more = median(values.map((value, round) => value - (plain[round] ?? 0)));
    console.log(`  ${median(values).toFixed(0).padStart(5)} µs  +${more.toFixed(0)} µs  ${name}`);
  }
}
contender.process.kill("SIGKILL");
upstream.closeAllConnections();
upstream.close();
