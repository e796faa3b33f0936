// Headers, both ways: next month's pass, the connection's and the gateway's own do not, and no credential reaches a
// host that it was not meant for. Here is the turn that crosses, with these headers and answered with those.

import type { Header } from "../../test/support/http-messages.ts";
import { askedOnce, joined, statusDown } from "../compare.ts";
import { cross, EVERY_SHAPE, fail, ordinaryReply, type Case, type Kit, type Verdict } from "../kit.ts";
import type { Reply } from "../upstream.ts";

export type About = Pick<Case, "name" | "guards" | "why">;
export type Judged = { up: Header[]; down: Header[] };

export const JSON_TYPE: Header = ["Content-Type", "application/json"];

/** A turn with these headers, answered with those. */
export function crossing(
  about: About,
  of: (kit: Kit) => { up?: Header[]; reply?: Reply },
  check: (headers: Judged, kit: Kit) => Verdict,
): Case {
  return {
    ...about,
    group: "headers",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const { up = [], reply = {} } = of(kit);
      const said = reply.headers ?? [];
      const headers = joined(said, "content-type") === null ? [JSON_TYPE, ...said] : said;
      const whole = { ...ordinaryReply(kit), ...reply, headers };
      const crossed = await cross(kit, { headers: up }, whole);
      const wrong = askedOnce(crossed) ?? statusDown(reply.status ?? 200, crossed.down);
      if (wrong !== null) return fail(wrong);
      return check({ up: crossed.up[0]!.headers, down: crossed.down!.headers }, kit);
    },
  };
}
