// Is it the prompt? The watch's verdict as a chip and a sentence, and every guardrail with its numbers: what on-call reads
// before a rollback, and after a guardrail has made one.

import type { ComparisonView, HealthView, VerdictKind } from "../../../core/health.ts";
import type { App, View } from "../app.ts";
import { h, redraw, type Attributes, type Child } from "../dom.ts";
import type { Model } from "../model.ts";
import {
  guardRows,
  providerNotices,
  rollbackInForce,
  sentence,
  VERDICT_TITLES,
  VERDICT_TONES,
  type Conviction,
  type GuardrailRollback,
  type GuardRow,
  type Side,
} from "../verdict.ts";
import { revisionLink } from "./log.ts";
import { panelProblem } from "./problem.ts";
import { timeElement } from "./release.ts";
import { table, tableRow } from "./table.ts";

export function healthCard(app: App): View {
  const problem = h("div", {});
  // Lasting, and no more than this: a screen reader says it again only when it has changed.
  const status = h("div", { class: "verdict", role: "status" });
  const inside = h("div", { class: "stack" });
  const element = h(
    "section",
    { class: "card health", "aria-labelledby": "health-title" },
    h("h2", { id: "health-title" }, "Health"),
    problem,
    status,
    inside,
  );
  return {
    element,
    draw(model) {
      const { health } = model.observed;
      const { body } = health;
      element.hidden = model.release === null;
      redraw(problem, health.problem, () => [panelProblem(health.problem, body !== null)]);
      redraw(status, body && [body.verdict, titleOf(body)], () => (body === null ? [] : drawVerdict(body)));
      const rollback = body?.comparisons.length ? null : rollbackIn(model);
      inside.hidden = body === null && health.problem !== null;
      redraw(inside, [model.prompt, body, rollback], () => drawHealth(app, body, rollback));
    },
  };
}

function rollbackIn({ observed, release }: Model): GuardrailRollback | null {
  return rollbackInForce(observed.events.body?.events ?? [], release);
}

function drawHealth(app: App, health: HealthView | null, rollback: GuardrailRollback | null): Child[] {
  if (health === null) return [h("p", { class: "muted" }, "Loading …")];
  const { says, comparisons } = health;
  // Of several canaries each has its own verdict, and the worst one's sentence stands above already.
  const told = comparisons.length > 1 ? says : null;
  return [
    h("p", { class: "says" }, sentence(says)),
    ...providerList(health),
    ...comparisons.map((one) => drawComparison(one, told)),
    comparisons.some(({ guards }) => guardRows(guards).rows.length > 0) &&
      h("p", { class: "muted fine" }, RULE),
    rollback && drawRollback(app, rollback),
    comparisons.length === 0 && rollback === null && noCanary(),
  ];
}

function drawVerdict(health: HealthView): Child[] {
  return [chip(health.verdict), h("strong", {}, titleOf(health))];
}

/** Without a canary the watch looks at the baseline alone, and says so itself. */
function titleOf({ verdict, comparisons }: HealthView): string {
  return comparisons.length === 0 && verdict === "watching" ? "As usual" : VERDICT_TITLES[verdict];
}

export function chip(verdict: VerdictKind): HTMLElement {
  return h("span", { class: "verdict-chip", "data-tone": VERDICT_TONES[verdict] }, verdict);
}

function providerList(health: HealthView): Child[] {
  const notices = health.verdict === "waiting" || health.verdict === "prompt" ? providerNotices(health) : [];
  if (notices.length === 0) return [];
  return [h("ul", { class: "notices" }, ...notices.map((notice) => h("li", {}, notice)))];
}

function noCanary(): HTMLElement {
  return h(
    "p",
    { class: "muted" },
    "Guardrails compare a canary with its baseline, from its first request on, and take it off when it is worse. There is none now.",
  );
}

function drawComparison(one: ComparisonView, told: string | null): HTMLElement {
  const { baseline, canary, since, verdict, says, guards } = one;
  const { rows, without } = guardRows(guards);
  return h(
    "div",
    { class: "guards", role: "group", "aria-label": `Guardrails of version ${canary}` },
    h(
      "div",
      { class: "guards-head" },
      h("h3", {}, `v${canary} beside v${baseline} `, told !== null && chip(verdict)),
      h("span", { class: "muted" }, "watched since ", timeElement(since)),
    ),
    told !== null && told !== says && h("p", {}, sentence(says)),
    rows.length > 0 && guardTable(rows, baseline, canary),
    without.length > 0 && h("p", { class: "muted" }, sayWithout(without, rows.length === 0)),
  );
}

const RULE =
  "Evidence counts how improbable this would be of a canary that is no worse; a guardrail crosses at the figure behind “of”. Intervals are 95 % and hold however often one looks.";

function sayWithout(names: string[], isAll: boolean): string {
  if (isAll) return `No data yet for any of the ${names.length} guardrails: both versions need requests.`;
  return `No data yet: ${names.join(", ")}.`;
}

function drawRollback(app: App, { at, revision, reason, conviction }: GuardrailRollback): HTMLElement {
  const title = conviction === null ? "What a guardrail took off" : `What took v${conviction.canary} off`;
  return h(
    "div",
    { class: "guards", role: "group", "aria-label": title },
    h(
      "div",
      { class: "guards-head" },
      h("h3", {}, title),
      h("span", { class: "muted" }, timeElement(at), ", ", revisionLink(app, revision)),
    ),
    conviction === null ? h("p", {}, sentence(reason)) : drawConviction(conviction),
  );
}

function drawConviction({ baseline, canary, guards }: Conviction): HTMLElement {
  return guardTable(guardRows(guards).rows, baseline, canary);
}

function guardTable(rows: readonly GuardRow[], baseline: number, canary: number): HTMLElement {
  const heads = ["Signal", `v${baseline}`, `v${canary}`, "Effect (95 %)", "Evidence", "Action", "State"];
  return table(
    "guard-table",
    heads.map((text) => h("th", { role: "columnheader", scope: "col" }, text)),
    rows.map((row) => guardRow(row, baseline, canary)),
  );
}

function guardRow(row: GuardRow, baseline: number, canary: number): HTMLElement {
  const { metric, name, counts, effect, evidence, action, state } = row;
  const line = tableRow(
    h("th", { role: "rowheader", scope: "row", title: counts }, name),
    cell("side", { "data-label": `v${baseline}` }, ...sideParts(row.baseline)),
    cell("side", { "data-label": `v${canary}` }, ...sideParts(row.canary)),
    cell("effect", {}, effect),
    cell("evidence", {}, meter(row.share), evidence),
    cell("action", {}, action),
    cell("state", {}, state),
  );
  Object.assign(line.dataset, { metric, state });
  return line;
}

function cell(name: string, attributes: Attributes, ...children: Child[]): HTMLElement {
  return h("td", { role: "cell", class: name, ...attributes }, ...children);
}

function sideParts({ value, of }: Side): Child[] {
  return [value, " ", h("span", { class: "muted" }, `of ${of}`)];
}

function meter(share: number): HTMLElement {
  const fill = h("span", {});
  fill.style.width = `${100 * share}%`;
  return h("span", { class: "meter", "aria-hidden": "true" }, fill);
}
