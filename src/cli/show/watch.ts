// A moment of `watch`: as a frame of the screen, or as one line per prompt.

import type { Metrics } from "../../admin/schemas.ts";
import type { ReleaseView } from "../../core/types.ts";
import type { ProblemBody } from "../client.ts";
import { glyph, paint, type Look } from "./look.ts";
import { formatProblem } from "./problem.ts";
import { formatCount, formatErrorRate, formatPercent, formatRelease, type Counters } from "./release.ts";
import { formatClock } from "./time.ts";

export type Watched = { release: ReleaseView; metrics: Metrics | null };

/** What was seen at one moment; `problem` where the last look failed and `watched` is what was seen before. */
export type Moment = { atMs: number; watched: Watched[]; problem: ProblemBody | null };

export function formatFrame(look: Look, moment: Moment, earlier: Moment | null): string[] {
  const separator = glyph(look, "dot");
  const clock = formatClock(new Date(moment.atMs).toISOString());
  const title = paint(look, "dim", `switchback watch ${separator} ${clock} ${separator} Ctrl-C ends`);
  const trouble = moment.problem === null ? [] : ["", ...formatProblem(look, moment.problem, [])];
  const releases = moment.watched.flatMap((watched) => [
    "",
    ...formatRelease(look, watched.release, countersOf(watched, moment, earlier), moment.atMs),
  ]);
  return cropTo(look, [title, ...trouble, ...releases]);
}

/** "12:00:05.000Z  support-bot production  revision 7  v2 95 % 1,204 requests 0.1 % errors, v3 5 % …" */
export function formatSnapshotLine(look: Look, { release, metrics }: Watched): string {
  const arms = release.arms.map((arm) => {
    const head = `v${arm.version} ${formatPercent(arm.weight)}`;
    if (metrics === null) return head;
    const counted = metrics.versions.find((version) => version.version === arm.version);
    const requests = counted?.requests ?? 0;
    const rate = formatErrorRate(look, requests, counted?.errors ?? 0);
    return `${head} ${formatCount(requests)} requests ${rate} errors`;
  });
  return `${release.prompt} ${release.environment}  revision ${release.revision}  ${arms.join(", ")}`;
}

function countersOf(watched: Watched, moment: Moment, earlier: Moment | null): Counters {
  if (watched.metrics === null) return null;
  const before = earlier?.watched.find((candidate) => candidate.release.prompt === watched.release.prompt);
  const seconds = earlier === null ? 0 : (moment.atMs - earlier.atMs) / 1000;
  return watched.metrics.versions.map((counter) => {
    const { version, requests, errors } = counter;
    if (!before?.metrics || seconds <= 0) return { version, requests, errors };
    const known = before.metrics.versions.find((candidate) => candidate.version === version);
    return { version, requests, errors, perSecond: (requests - (known?.requests ?? 0)) / seconds };
  });
}

function cropTo(look: Look, lines: string[]): string[] {
  if (lines.length < look.height) return lines;
  const shown = Math.max(1, look.height - 2);
  const hidden = `${glyph(look, "ellipsis")} ${lines.length - shown} more lines: name a PROMPT to watch only that`;
  return [...lines.slice(0, shown), paint(look, "dim", hidden)];
}
