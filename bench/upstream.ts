// The provider of the benchmark: answers as fast as Node can, so that what is measured is the proxy. The header
// `x-bench: stream:50:5` streams 50 chunks, 5 ms apart; `chunked` does not say how long the answer is; without it the answer is a small
// JSON body.

import { createServer, type ServerResponse } from "node:http";

const ANSWER = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1,
  model: "gpt-bench",
  choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
});

const CHUNK = `data: ${JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-bench",
  choices: [{ index: 0, delta: { content: "word " }, finish_reason: null }],
})}\n\n`;

const USAGE = `data: ${JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-bench",
  choices: [],
  usage: { prompt_tokens: 10, completion_tokens: 50, total_tokens: 60 },
})}\n\n`;

const server = createServer((request, response) => {
  const plan = String(request.headers["x-bench"] ?? "json");
  request.on("data", () => {});
  request.on("end", () => {
    const stream = /^stream:(\d+):(\d+)$/.exec(plan);
    if (stream) return streamChunks(response, Number(stream[1]), Number(stream[2]));
    const length = plan === "chunked" ? {} : { "content-length": Buffer.byteLength(ANSWER) };
    response.writeHead(200, { "content-type": "application/json", ...length });
    if (plan === "chunked") response.write("");
    response.end(ANSWER);
  });
});

function streamChunks(response: ServerResponse, count: number, gapMs: number): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let sent = 0;
  const send = () => {
    if (response.destroyed) return;
    response.write(CHUNK);
    sent += 1;
    if (sent === count) response.end(`${USAGE}data: [DONE]\n\n`);
    else setTimeout(send, gapMs);
  };
  send();
}

server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(address !== null && typeof address === "object" ? address.port : 0);
});
process.on("disconnect", () => process.exit());
