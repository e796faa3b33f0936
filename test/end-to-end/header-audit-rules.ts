// The rules of the header audit, each about one request as it went over the wire on both sides of the Worker.

import { expect } from "vitest";
import { ADMIN_TOKEN } from "../support/cluster.ts";
import { headerOf, type Header } from "../support/http-messages.ts";
import { PLAIN_ID, SIGNED_ID } from "../support/request-ids.ts";
import type { Audit, Case, Crossing } from "./header-audit-rig.ts";
import { PROMPT } from "./header-audit-outcomes.ts";
import {
  ALIEN,
  ALWAYS_DOWN,
  ALWAYS_UP,
  CREDENTIAL,
  FORGED,
  HELD,
  NEVER,
  NEVER_DOWN,
  OWN,
  SPOKEN,
  SYSTEM,
  VARIABLE,
  WIRE,
} from "./header-audit-table.ts";

/** Names in lower case; of the headers that are told one by one. */
export function lower(headers: Header[]): Header[] {
  return headers.map(([name, value]): Header => [name.toLowerCase(), value]);
}

export function expectCleanUp(
  { upstream }: Audit,
  { up }: Crossing,
  { kept, target }: { kept: Header[]; target: string },
): void {
  for (const { request } of up) {
    const bytes = request.url + JSON.stringify(request.headers) + request.body.toString();
    for (const secret of [NEVER, ALIEN, "sb_", "sbt_", ADMIN_TOKEN]) expect(bytes).not.toContain(secret);
    const headers = lower(request.headers);
    const credentials = headers.filter(([name]) => CREDENTIAL.test(name));
    expect(credentials).toEqual(lower(kept));
    const others = headers.filter(([name]) => !CREDENTIAL.test(name) && !WIRE.has(name));
    const sent = others.filter(([name]) => name !== "x-case" && name !== "accept-encoding");
    expect(sent.toSorted()).toEqual(lower(ALWAYS_UP).toSorted());
    expect(headerOf(request, "host")).toBe(new URL(upstream.url).host);
    expect(request.url).toBe(target);
  }
}

/** What nobody may see, wherever it stands in an answer. */
export function expectNoSecret({ keys }: Audit, text: string): void {
  const ours = [...Object.values(keys), ADMIN_TOKEN, HELD];
  for (const secret of [...ours, NEVER, ALIEN, FORGED, OWN]) expect(text).not.toContain(secret);
}

export function expectCleanDown(audit: Audit, { down, up }: Crossing): void {
  const { headers, body } = down.response!;
  expectNoSecret(audit, JSON.stringify(headers) + body.toString());
  const names = lower(headers).map(([name]) => name);
  for (const name of new Set(lower(NEVER_DOWN).map(([denied]) => denied))) {
    if (!name.startsWith("prompt-") && name !== "connection") expect(names).not.toContain(name);
  }
  if (up.at(-1)?.response == null) return;
  expect(lower(headers)).toEqual(expect.arrayContaining(lower([...ALWAYS_DOWN, ...ALWAYS_UP])));
}

/** Contract §2.3, each of them once and by its own rule, and no other header of that family. */
export function expectExplained(
  { down }: Crossing,
  { outcome, mount }: Pick<Case, "outcome" | "mount">,
): void {
  const { headers } = down.response!;
  const own = lower(headers).filter(([name]) => name.startsWith("prompt-"));
  const said = Object.fromEntries(own);
  const { "prompt-request-id": id, "prompt-name": name, ...rest } = said;
  expect(own.length).toBe(Object.keys(said).length);
  // A session is decided once more after its handshake, so its id can promise nothing.
  const isSigned = rest["prompt-version"] !== undefined && down.response!.status !== 101;
  expect(id).toMatch(isSigned ? SIGNED_ID : PLAIN_ID);
  expect(headerOf(down.response!, "server-timing")).toMatch(/proxy;dur=\d/);
  const isNamed = mount === "prompted" || outcome.prompt !== undefined;
  const { decision = USUAL, error } = outcome;
  const decided = isNamed && decision !== null ? Object.entries(decision) : [];
  const spelled = (outcome.prompt ?? PROMPT).replaceAll(" ", "_");
  expect(name).toBe(isNamed ? spelled : undefined);
  expect(rest).toEqual({
    ...Object.fromEntries(decided.map(([header, value]) => [`prompt-${header}`, value])),
    ...(error !== undefined && { "prompt-error": error }),
  });
  const mayRetry = error === undefined || down.response!.status >= 500;
  expect(headerOf(down.response!, "x-should-retry")).not.toBe(mayRetry ? "false" : "true");
}

const USUAL = { version: "1", arm: "baseline", reason: "static", revision: "1" };

/** An error of ours is for its reader: a status, a code, a sentence. */
export function expectReticent({ upstream }: Audit, { down }: Crossing): void {
  const text = down.response!.body.toString();
  for (const secret of [SYSTEM, SPOKEN, VARIABLE, upstream.url]) expect(text).not.toContain(secret);
  expect(() => JSON.parse(text)).not.toThrow();
}
