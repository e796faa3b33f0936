// The audit log as aligned columns, newest first: what was done is told from `before` and `after`, so that a
// rollback says from which version to which.

import type { ReleaseEvent } from "../../core/health.ts";
import type { RampMark } from "../../core/ramps.ts";
import type { Action, Release, Revision } from "../../core/types.ts";
import { glyph, plain, type Look, type Style } from "./look.ts";
import { formatPercent, formatWeights } from "./release.ts";
import { formatTable, type Row } from "./table.ts";
import { formatMoment } from "./time.ts";

const WHY_COLUMN = 4;

const STYLES: { [action in Action]?: Style } = {
  rollback: "yellow",
  revoke: "red",
  promote: "green",
};

/** Events between the revisions, by time; they have no number, since they changed no release. */
export function formatHistory(
  look: Look,
  revisions: readonly Revision[],
  events: readonly ReleaseEvent[] = [],
): string[] {
  const lines = [
    ...revisions.map((revision) => ({ at: revision.at, row: rowOf(look, revision) })),
    ...events.map((event) => ({ at: event.at, row: rowOfEvent(event) })),
  ];
  const rows = lines
    .toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at))
    .map(({ row }) => row);
  return formatTable(look, rows, {
    header: ["REVISION", "WHEN", "WHO", "WHAT", "WHY"],
    flexible: WHY_COLUMN,
  });
}

function rowOfEvent({ at, kind, says }: ReleaseEvent): Row {
  return [
    "",
    { text: formatMoment(at), style: "dim" },
    "",
    { text: plain(kind), style: "cyan" },
    plain(says),
  ];
}

function rowOf(look: Look, revision: Revision): Row {
  const style = STYLES[revision.action];
  return [
    { text: String(revision.revision), align: "right", style: "bold" },
    { text: formatMoment(revision.at), style: "dim" },
    plain(revision.actor),
    { text: describeChange(look, revision), ...(style ? { style } : {}) },
    plain(revision.reason),
  ];
}

/** "rollback 2 → 1", "canary v3 at 5 %", "push v1", "promote 1 → 3", "revoke v4"; and where it put an end to a ramp, that. */
export function describeChange(look: Look, revision: Revision): string {
  const change = describeAct(look, revision);
  return revision.ramp?.event === "end" ? `${change}, ends the ramp` : change;
}

function describeAct(look: Look, revision: Revision): string {
  const { before, after, action, ramp } = revision;
  if (action === "ramp" && ramp !== undefined) return describeRamp(look, revision, ramp);
  if (before === null) return `${action} ${describeFirst(action, after)}`;
  switch (action) {
    case "rollback":
      return `rollback ${mainVersion(before, after)} ${glyph(look, "arrow")} ${after.baseline}`;
    case "promote":
      return `promote ${before.baseline} ${glyph(look, "arrow")} ${after.baseline}`;
    case "canary":
      return `canary ${describeCanary(before, after)}`;
    case "revoke":
      return `revoke ${describeRevoked(before, after)}`;
    default:
      return action;
  }
}

/** "ramp v3 5 % → 25 %", "ramp v3 paused at 5 %". */
function describeRamp(look: Look, { before, after }: Revision, { event, version }: RampMark): string {
  const [was, is] = [before === null ? null : weightOf(before, version), weightOf(after, version) ?? 0];
  const at = formatPercent(is);
  if (event === "pause" || event === "resume" || event === "stop") {
    return `ramp v${version} ${RAMP_TURNS[event]} at ${at}`;
  }
  if (was === null || was === is) return `ramp v${version} from ${at}`;
  return `ramp v${version} ${formatPercent(was)} ${glyph(look, "arrow")} ${at}`;
}

const RAMP_TURNS = { pause: "paused", resume: "resumed", stop: "stopped" } as const;

/** An environment's first release has nothing before it. */
function describeFirst(action: Action, after: Release): string {
  return action === "canary" ? describeCanary({ ...after, arms: [] }, after) : `v${after.baseline}`;
}

/** The version that the rollback took off, the one with most weight first. */
function mainVersion(before: Release, after: Release): number {
  const taken = before.arms
    .filter((arm) => arm.version !== after.baseline)
    .toSorted((one, other) => other.weight - one.weight);
  return taken[0]?.version ?? before.baseline;
}

function describeCanary(before: Release, after: Release): string {
  const changed = after.arms.filter(
    (arm) => arm.version !== after.baseline && weightOf(before, arm.version) !== arm.weight,
  );
  if (changed.length === 0) return formatWeights(after.arms.slice(1)) || "off";
  return changed.map((arm) => `v${arm.version} at ${formatPercent(arm.weight)}`).join(", ");
}

function describeRevoked(before: Release, after: Release): string {
  const added = after.revoked.filter((version) => !before.revoked.includes(version));
  const names = added.map((version) => `v${version}`).join(", ");
  return before.baseline === after.baseline ? names : `${names}, baseline is v${after.baseline}`;
}

function weightOf(release: Release, version: number): number | null {
  return release.arms.find((arm) => arm.version === version)?.weight ?? null;
}
