// Versions and what is in them: lists, one content, the difference of two, and what a request would become.

import { describeGuards } from "../guard-settings.ts";
import type { VersionView } from "../../core/ports.ts";
import type { Arm, Prompt, VersionSummary } from "../../core/types.ts";
import { describeJudge } from "./judge.ts";
import { paint, plain, plainBlock, type Look, type Style } from "./look.ts";
import { formatPercent } from "./release.ts";
import { formatTable, type Row } from "./table.ts";
import { formatAge, formatMoment } from "./time.ts";

const DIGEST_SHOWN = 12;
const PROMPT_DESCRIPTION_COLUMN = 5;
const VERSION_NOTE_COLUMN = 5;

export function formatPrompts(look: Look, prompts: Prompt[], nowMs: number): string[] {
  if (prompts.length === 0) return ["There is no prompt yet: `switchback create PROMPT` makes one."];
  const rows = prompts.map((prompt): Row => [
    { text: prompt.name, style: "bold" },
    prompt.archivedAt === null ? prompt.kind : { text: "archived", style: "dim" },
    { text: prompt.latestVersion === 0 ? "none" : `v${prompt.latestVersion}`, align: "right" },
    plain(prompt.owner),
    { text: formatAge(prompt.updatedAt, nowMs), style: "dim" },
    plain(prompt.description),
  ]);
  return formatTable(look, rows, {
    header: ["PROMPT", "KIND", "LATEST", "OWNER", "CHANGED", "DESCRIPTION"],
    flexible: PROMPT_DESCRIPTION_COLUMN,
  });
}

export function formatPrompt(look: Look, prompt: Prompt, nowMs: number): string[] {
  const facts: [string, string][] = [
    ["kind", prompt.kind],
    ["description", plain(prompt.description)],
    ["owner", plain(prompt.owner)],
    ["tags", prompt.tags.map(plain).join(", ")],
    ["aliases", prompt.aliases.map(plain).join(", ")],
    ["sticky per", prompt.unit],
    ["shield", prompt.shield === false ? "off" : ""],
    ["agents", prompt.agents === "off" ? "off" : ""],
    ["guardrails", prompt.guardrails === undefined ? "" : plain(describeGuards(prompt.guardrails))],
    ["judge", prompt.judge === undefined ? "" : describeJudge(prompt.judge)],
    ["latest", prompt.latestVersion === 0 ? "no version yet" : `v${prompt.latestVersion}`],
    ["changed", `${formatAge(prompt.updatedAt, nowMs)} by ${plain(prompt.updatedBy)}`],
    ["archived", prompt.archivedAt === null ? "" : formatMoment(prompt.archivedAt)],
  ];
  const rows = facts
    .filter(([, value]) => value !== "")
    .map(([name, value]): Row => [{ text: name, style: "dim" }, value]);
  return [paint(look, "bold", prompt.name), ...formatTable(look, rows, { indent: 2, flexible: 1 })];
}

/** `arms`: of the release in question, to tell which version is live. */
export function formatVersions(
  look: Look,
  versions: VersionSummary[],
  arms: (Arm & { arm: string })[],
  nowMs: number,
): string[] {
  if (versions.length === 0) return ["No version has been pushed yet: `switchback push PROMPT FILE`."];
  const rows = versions.map((version): Row => [
    { text: `v${version.version}`, style: "bold" },
    formatState(version, arms),
    { text: version.digest.slice(0, DIGEST_SHOWN), style: "dim" },
    { text: formatAge(version.createdAt, nowMs), style: "dim" },
    plain(version.createdBy),
    plain(version.revoked === null ? version.note : `revoked: ${version.revoked.reason}`),
  ]);
  return formatTable(look, rows, {
    header: ["VERSION", "SERVING", "DIGEST", "PUSHED", "BY", "NOTE"],
    flexible: VERSION_NOTE_COLUMN,
  });
}

function formatState(version: VersionSummary, arms: (Arm & { arm: string })[]): Row[number] {
  if (version.revoked !== null) return { text: "revoked", style: "red" };
  const arm = arms.find((candidate) => candidate.version === version.version);
  if (!arm) return "";
  const style = arm.arm === "baseline" ? "green" : "yellow";
  return { text: `${arm.arm} ${formatPercent(arm.weight)}`, style };
}

export function formatVersion(look: Look, version: VersionView, nowMs: number): string[] {
  const { messages, note: _, ...rest } = version.content;
  const head = `${version.prompt} v${version.version}`;
  const origin = `pushed ${formatAge(version.createdAt, nowMs)} by ${plain(version.createdBy)}, digest ${version.digest.slice(0, DIGEST_SHOWN)}`;
  const revoked = version.revoked;
  const partials = version.partials.map((partial) => `${partial.name} v${partial.version}`).join(", ");
  return [
    `${paint(look, "bold", head)}  ${paint(look, "dim", origin)}`,
    ...(version.note === "" ? [] : [`  ${plain(version.note)}`]),
    ...(revoked === null
      ? []
      : [
          paint(
            look,
            "red",
            `  revoked ${formatAge(revoked.at, nowMs)} by ${plain(revoked.by)}: ${plain(revoked.reason)}`,
          ),
        ]),
    ...(partials === "" ? [] : [`  with ${partials}`]),
    ...messages.flatMap((message) => [
      "",
      paint(look, "cyan", message.role),
      ...plainBlock(message.content).split("\n"),
    ]),
    "",
    ...plainBlock(JSON.stringify(rest, null, 2)).split("\n"),
  ];
}

/** A unified diff in the colours that everybody knows. */
export function formatDiff(look: Look, unified: string): string[] {
  if (unified.trim() === "") return ["The two versions have the same content."];
  return plainBlock(unified)
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      const style = styleOfDiffLine(line);
      return style === null ? line : paint(look, style, line);
    });
}

function styleOfDiffLine(line: string): Style | null {
  if (/^(\+\+\+|---|===|Index:)/.test(line)) return "bold";
  if (line.startsWith("@@")) return "cyan";
  if (line.startsWith("+")) return "green";
  return line.startsWith("-") ? "red" : null;
}

export type RenderView = { prompt: string; version: number; provider: string; path: string; body?: unknown };

export function formatRender(look: Look, view: RenderView): string[] {
  const head = `${view.prompt} v${view.version}`;
  return [
    `${paint(look, "bold", head)}  ${paint(look, "dim", `POST ${plain(view.provider)} ${plain(view.path)}`)}`,
    ...plainBlock(JSON.stringify(view.body, null, 2) ?? "").split("\n"),
  ];
}
