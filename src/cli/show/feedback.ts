// Feedback as people read it: first the totals, a line for each version and name, then what was said last, newest first.

import type { FeedbackEntry, FeedbackPage, FeedbackReceipt, FeedbackTotal } from "../../core/feedback.ts";
import { glyph, paint, plain, type Look, type Style } from "./look.ts";
import { formatTable, type Row } from "./table.ts";
import { formatAge } from "./time.ts";

const COMMENT_COLUMN = 4;

export function formatFeedback(look: Look, page: FeedbackPage, nowMs: number): string[] {
  const { totals, feedback, nextBefore } = page;
  if (totals.length === 0) return ["Nothing has been said of its answers yet."];
  const more = nextBefore === null ? [] : [paint(look, "dim", `older ones: --before ${nextBefore}`)];
  return [...formatTotals(look, totals), "", ...formatEntries(look, feedback, nowMs), ...more];
}

function formatTotals(look: Look, totals: FeedbackTotal[]): string[] {
  const rows = totals.map((total): Row => [
    { text: `v${total.version}`, style: "bold" },
    plain(total.name),
    total.up + total.down === 0 ? "" : `${total.up} up, ${total.down} down`,
    { text: shareUp(total), align: "right" },
    describeScores(total),
    total.labels === 0 ? "" : String(total.labels),
  ]);
  return formatTable(look, rows, { header: ["VERSION", "NAME", "THUMBS", "", "SCORES", "LABELS"] });
}

function shareUp({ up, down }: FeedbackTotal): string {
  return up + down === 0 ? "" : `${Math.round((100 * up) / (up + down))} %`;
}

function describeScores({ scores, meanScore }: FeedbackTotal): string {
  return meanScore === null ? "" : `${meanScore.toFixed(3)} of ${scores}`;
}

function formatEntries(look: Look, entries: FeedbackEntry[], nowMs: number): string[] {
  const rows = entries.map((entry): Row => {
    const style = styleOf(entry);
    return [
      { text: formatAge(entry.at, nowMs), style: "dim" },
      { text: `v${entry.version}`, style: "bold" },
      plain(entry.name),
      { text: describeValue(entry), ...(style === null ? {} : { style }) },
      plain(entry.comment ?? ""),
      { text: entry.requestId, style: "dim" },
    ];
  });
  const header = ["WHEN", "VERSION", "NAME", "VALUE", "COMMENT", "REQUEST"];
  return formatTable(look, rows, { header, flexible: COMMENT_COLUMN });
}

function describeValue({ value }: FeedbackEntry): string {
  if (typeof value === "boolean") return value ? "up" : "down";
  return plain(String(value));
}

function styleOf({ value }: FeedbackEntry): Style | null {
  if (typeof value !== "boolean") return null;
  return value ? "green" : "red";
}

const RESULTS: { [result in FeedbackReceipt["result"]]: string } = {
  counted: "counted",
  replaced: "counted instead of the earlier one",
  repeated: "known already, nothing has changed",
};

export function formatReceipt(look: Look, receipt: FeedbackReceipt): string {
  const { prompt, environment, version, arm, result } = receipt;
  const what = `${paint(look, "bold", prompt)} ${environment}  v${version} (${arm})`;
  return `${what}  ${glyph(look, "tick")} ${RESULTS[result]}`;
}
