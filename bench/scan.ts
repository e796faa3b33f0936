// What the wire room costs: the scan of a body, and scan and injection together, beside a copy of the same bytes and
// beside JSON.parse and JSON.stringify. Run it with the project's own Node: node bench/scan.ts
//
// Least of many rounds, Node 24, two shared cores:
//                                       bytes     copy     scan  +inject  rebuild   (µs)
//   chat 1 KB                            1,094      0.2      2.3      4.4      3.1
//   chat 32 KB                          31,741      1.3       12       15       37
//   chat 1 MB                          999,743       44      310      352    1,782
//   chat 1 MB, messages of 50 bytes    994,146       42    1,093    1,137    3,446
//   chat 1 MB, source code             999,578       24      796      895    2,392
//   chat 1 MB, Japanese                999,810       38      582      628    2,560
//   image 1 MB                       1,000,164       39      222      265    2,302
//   image 10 MB                     10,000,155      671    2,164    2,887   18,588

import { isProblem } from "../src/core/problem.ts";
import type { Rendered } from "../src/core/rendered.ts";
import { decodeUtf8, encodeUtf8 } from "../src/core/text.ts";
import { FORMATS } from "../src/wire/formats.ts";
import type { Pieces, WireFormat } from "../src/wire/wire.ts";

const PROSE =
  "The quick brown fox jumps over the lazy dog, and then over some more of them, again and again. ";
const CODE = "function foo() {\n  return \"bar\" + 'x';\n\t// says hi\n}\n";
const JAPANESE = "日本語のテキストがここにあります。これはかなり長い文章の一部です。";
const ROUNDS = 60;

const VERSION: Rendered = {
  system: "You help users of Acme. Be brief and kind. ".repeat(10),
  examples: [],
  placement: "prepend",
  model: "gpt-5.4-mini",
  params: { temperature: 0.2 },
  defaults: { max_output_tokens: 800 },
  tools: [],
  responseFormat: null,
  providerParams: {},
};

/** A chat of about `size` bytes in messages of about `each`. */
function chat(size: number, each: number, text: string): Uint8Array {
  const content = text.repeat(Math.max(1, Math.round(each / encodeUtf8(text).length)));
  const count = Math.max(1, Math.round(size / (encodeUtf8(JSON.stringify(content)).length + 30)));
  const messages = Array.from({ length: count }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content,
  }));
  return encodeUtf8(
    JSON.stringify({ model: "gpt-5.4", messages, stream: true, user: "user-123", max_tokens: 500 }),
  );
}

function image(size: number): Uint8Array {
  const url = `data:image/png;base64,${"iVBORw0KGgo".repeat(size / 11)}`;
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url } },
  ];
  return encodeUtf8(JSON.stringify({ model: "gpt-5.4", messages: [{ role: "user", content }] }));
}

/** Microseconds of one call. */
function measure(call: () => unknown, bytes: number): number {
  const calls = Math.max(1, Math.round(200_000 / bytes));
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    for (let index = 0; index < calls; index += 1) call();
    least = Math.min(least, ((performance.now() - startedAt) / calls) * 1_000);
  }
  return least;
}

function scanAndInject(format: WireFormat, body: Uint8Array, prepared: Pieces): Uint8Array {
  const scan = format.scan(body);
  if (isProblem(scan)) throw new Error(scan.message);
  const out = format.inject(scan, prepared);
  if (isProblem(out)) throw new Error(out.message);
  return out;
}

function rebuild(body: Uint8Array): Uint8Array {
  const value = JSON.parse(decodeUtf8(body)!) as { messages: unknown[]; model: string };
  value.messages.unshift({ role: "system", content: VERSION.system });
  value.model = "gpt-5.4-mini";
  return encodeUtf8(JSON.stringify(value));
}

function report(name: string, body: Uint8Array): void {
  const format = FORMATS["openai-chat"];
  const options = { provider: "openai", count: false };
  const prepared = format.prepare(VERSION, options);
  const columns = [
    measure(() => body.slice(), body.length),
    measure(() => format.scan(body), body.length),
    measure(() => scanAndInject(format, body, prepared), body.length),
    measure(() => rebuild(body), body.length),
  ];
  const cells = columns.map((micros) => micros.toFixed(micros < 100 ? 1 : 0).padStart(9));
  console.log(`${name.padEnd(34)}${String(body.length).padStart(10)}${cells.join("")}`);
}

const warm = chat(1_000, 500, PROSE);
for (let index = 0; index < 20_000; index += 1) {
  scanAndInject(
    FORMATS["openai-chat"],
    warm,
    FORMATS["openai-chat"].prepare(VERSION, { provider: "openai", count: false }),
  );
}
console.log(`${"body".padEnd(34)}     bytes     copy     scan  +inject  rebuild   (µs)`);
report("chat 1 KB", chat(1_000, 500, PROSE));
report("chat 32 KB", chat(32_000, 800, PROSE));
report("chat 1 MB", chat(1_000_000, 800, PROSE));
report("chat 1 MB, messages of 50 bytes", chat(1_000_000, 50, "hello there, how are you? ".repeat(2)));
report("chat 1 MB, source code", chat(1_000_000, 800, CODE));
report("chat 1 MB, Japanese", chat(1_000_000, 800, JAPANESE));
report("image 1 MB", image(1_000_000));
report("image 10 MB", image(10_000_000));
