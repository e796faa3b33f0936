// What every wire format has to keep, whatever it is: one suite, run against each. A body is injected as bytes and as an
// object; both must mean the same, and what the patches do not touch must be the same bytes.

import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import type { JsonObject } from "../../src/core/types.ts";
import { isSame } from "../../src/wire/json-tree.ts";
import { splice, type Patch } from "../../src/wire/splice.ts";
import type { Pieces, Resource, WireFormat } from "../../src/wire/wire.ts";
import { randomBody } from "./bodies.ts";
import { isEqual } from "./equal.ts";
import { seededRandom, type Random } from "./random.ts";
import { injectReference } from "./reference.ts";
import { factsOf, SOME_FINGERPRINT } from "./reference-facts.ts";
import { randomVersions, renderedWith } from "./versions.ts";

/** Per format; seven suites, 700,000 bodies a run, are about two minutes of one core. */
const BODIES = 100_000;
const PROVIDERS = ["openai", "groq", "anthropic", "bedrock"];

export type Sample = {
  format: WireFormat;
  /** A body with a turn in it, as small as it can be. */
  smallest: string;
  /** Which of the endpoints only count. */
  counts: boolean;
  /** Where the format's own id does not tell it from another. */
  name?: string;
  /** The path names the model, so that no body does. */
  modelInPath?: boolean;
  /** What paths name, for a format whose bodies repeat it. */
  resources?: Resource[];
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function describeFormat(sample: Sample): void {
  const { format, smallest, name = format.id, modelInPath = false } = sample;
  describe(`${name}, for any body and any version`, () => {
    it("means what a rebuilt body would mean, and leaves all other bytes alone", { timeout: 300_000 }, () => {
      const seed = readSeed();
      const random = seededRandom(seed);
      let versions: Rendered[] = [];
      for (let index = 0; index < BODIES; index += 1) {
        if (index % 500 === 0) versions = randomVersions(random, 40);
        const bodySeed = (seed + index) >>> 0;
        const wrong = tryBody(sample, random.pick(versions), random, bodySeed);
        if (wrong !== null) expect.fail(`WIRE_SEED=${seed}, body ${index}: ${wrong}`);
      }
    });

    it("changes nothing where the version says nothing", () => {
      const prepared = format.prepare(renderedWith(), { provider: "openai", count: false });
      for (const text of [smallest, ` ${smallest}\n`]) {
        const body = encoder.encode(text);
        expect(injectInto(format, body, prepared)).toEqual(body);
      }
    });

    it("takes its offsets from the body, wherever that lies in its buffer", () => {
      const version = renderedWith({ system: "Be kind.", model: "anthropic.m", params: { temperature: 0 } });
      const prepared = format.prepare(version, { provider: "openai", count: false, modelInPath });
      const expected = decoder.decode(injectInto(format, encoder.encode(smallest), prepared));
      for (let offset = 0; offset < 9; offset += 1) {
        const buffer = encoder.encode("x".repeat(offset) + smallest + "x".repeat(offset));
        const body = buffer.subarray(offset, buffer.length - offset);
        expect(decoder.decode(injectInto(format, body, prepared))).toBe(expected);
      }
    });

    it("is ready for text that tries to break out of its string", () => {
      const texts = [
        '"',
        '\\"',
        "\\",
        '","role":"user"',
        "\u2028",
        "\u0000",
        "\ud800",
        "\udc00x",
        "</script>",
      ];
      for (const text of texts) {
        const version = renderedWith({ system: text, examples: [{ role: "user", content: text }] });
        for (const placement of ["prepend", "append", "replace", "if_absent"] as const) {
          const prepared = format.prepare({ ...version, placement }, { provider: "openai", count: false });
          const out = decoder.decode(injectInto(format, encoder.encode(smallest), prepared));
          expect(out).not.toMatch(/[\u2028\u2029]/);
          const where = { format: format.id, provider: "openai", count: false, modelInPath };
          const expected = injectReference(
            JSON.parse(smallest) as JsonObject,
            { ...version, placement },
            where,
          );
          expect(JSON.parse(out)).toEqual(expected);
        }
      }
    });
  });
}

function readSeed(): number {
  const given = process.env["WIRE_SEED"];
  return given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given);
}

function injectInto(format: WireFormat, body: Uint8Array, prepared: Pieces): Uint8Array {
  const scan = format.scan(body);
  if (isProblem(scan)) throw new Error(scan.message);
  const out = format.inject(scan, prepared);
  if (isProblem(out)) throw new Error(out.message);
  return out;
}

/** What is wrong with this body's injection, or null. */
function tryBody(
  { format, counts, modelInPath = false, resources }: Sample,
  version: Rendered,
  random: Random,
  bodySeed: number,
): string | null {
  const { text, kept } = randomBody(format.id, seededRandom(bodySeed));
  const resource = resources === undefined ? null : random.pick(resources);
  const where = {
    format: format.id,
    provider: random.pick(PROVIDERS),
    count: counts && random.chance(0.2),
    modelInPath,
    asksUsage: random.chance(0.3),
    resource,
  };
  const about = () => `${text}\n${JSON.stringify(version)}\n${JSON.stringify(where)}`;
  const body = encoder.encode(text);
  const parsed = JSON.parse(text) as JsonObject;
  const scan = format.scan(body, resource);
  if (isProblem(scan)) return `refused (${scan.message}): ${about()}`;
  const { body: _body, spans: _spans, ...facts } = scan;
  if (facts.firstUserText?.startsWith("\u0000") === true) facts.firstUserText = SOME_FINGERPRINT;
  const expectedFacts = factsOf(parsed, format.id);
  if (!isEqual(facts, expectedFacts)) {
    return `facts ${JSON.stringify(facts)} for ${JSON.stringify(expectedFacts)}: ${about()}`;
  }
  const prepared = format.prepare(version, where);
  // `inject` is `plan`, spliced: seen apart now and then, as both halves of it take their time.
  const patches = format.plan(scan, prepared);
  const expected = injectReference(parsed, version, where);
  if (isProblem(patches)) {
    const isDue = "refused" in expected && (patches.field ?? "").includes(String(expected["refused"]));
    return isDue ? null : `refused (${patches.message}): ${about()}`;
  }
  const out = splice(body, patches);
  if (random.chance(0.1)) {
    const whole = format.inject(scan, prepared);
    if (isProblem(whole) || !isSame(whole, out)) return `inject is not plan, spliced: ${about()}`;
  }
  const outText = decoder.decode(out);
  if (!isEqual(JSON.parse(outText), expected)) {
    return `got ${outText}\nfor ${JSON.stringify(expected)}\n${about()}`;
  }
  const lost = kept.find((piece) => !outText.includes(piece));
  if (lost !== undefined) return `lost ${lost} in ${outText}: ${about()}`;
  if (!isFaithful(body, out, patches)) return `other bytes in ${outText}: ${about()}`;
  return null;
}

/** Whether `out` is `body` but for the patches: in order, apart, and with their own bytes in their places. */
function isFaithful(body: Uint8Array, out: Uint8Array, patches: Patch[]): boolean {
  let read = 0;
  let written = 0;
  for (const { from, to, bytes } of [
    ...patches,
    { from: body.length, to: body.length, bytes: new Uint8Array() },
  ]) {
    if (from < read || to < from) return false;
    for (; read < from; read += 1, written += 1) if (out[written] !== body[read]) return false;
    for (const byte of bytes) {
      if (out[written] !== byte) return false;
      written += 1;
    }
    read = to;
  }
  return written === out.length;
}
