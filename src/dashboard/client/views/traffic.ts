// What the versions did in a window of time: side by side in figures, and over time in charts. The window is chosen here.

import type { ReleaseView } from "../../../core/types.ts";
import type { App, View } from "../app.ts";
import type { Metrics } from "../../../admin/schemas.ts";
import { h, redraw, type Child } from "../dom.ts";
import { columnsOf } from "../figures.ts";
import { ARM_LABELS } from "../format.ts";
import { colorsOf, type Model } from "../model.ts";
import { WINDOWS, windowOf, type WindowName } from "../observed.ts";
import { chartsOf, marksOf, momentAt, type MarkKind, type Moment } from "../series.ts";
import { chartView, dot } from "./chart.ts";
import { figuresTable } from "./figures.ts";
import { panelProblem } from "./problem.ts";
import { seriesTable } from "./series.ts";

export function trafficCard(app: App): View {
  const windows = h("div", { class: "chips", role: "group", "aria-label": "Window of time" });
  const problem = h("div", {});
  const empty = h("div", {});
  const figures = h("div", { class: "scroll" });
  const charts = chartsView();
  const element = h(
    "section",
    { class: "card traffic", "aria-labelledby": "traffic-title" },
    h("div", { class: "card-head" }, h("h2", { id: "traffic-title" }, "Traffic"), windows),
    problem,
    empty,
    figures,
    charts.element,
  );
  return {
    element,
    draw(model) {
      const { window, metrics, metricsWindow } = model.observed;
      const { body } = metrics;
      element.hidden = model.release === null;
      redraw(windows, window, () => WINDOWS.map(({ name, label }) => windowButton(app, name, label, window)));
      redraw(problem, metrics.problem, () => [panelProblem(metrics.problem, body !== null)]);
      const isEmpty = body === null || body.arms.every(({ requests }) => requests === 0);
      redraw(empty, [isEmpty, body === null, metricsWindow, metrics.problem], () =>
        isEmpty ? [sayEmpty(model)] : [],
      );
      const arms = model.release?.arms ?? [];
      figures.hidden = charts.element.hidden = isEmpty;
      if (isEmpty) return;
      redraw(figures, [body, arms, model.prompt], () =>
        figuresTable(columnsOf(body, arms), colorsIn(model, body), arms),
      );
      charts.draw(model);
    },
  };
}

function windowButton(app: App, name: WindowName, label: string, chosen: WindowName): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      class: "chip",
      "aria-pressed": String(name === chosen),
      "data-focus": `window-${name}`,
      onclick: () => app.chooseWindow(name),
    },
    label,
  );
}

function sayEmpty({ observed }: Model): HTMLElement {
  const { body, problem } = observed.metrics;
  if (body === null) return h("p", { class: "muted" }, problem === null ? "Loading …" : "No figures.");
  return h(
    "p",
    { class: "empty" },
    h("strong", {}, `No requests in the last ${windowOf(observed.metricsWindow).words}.`),
    " Once an app is connected, its requests, errors, times and cost stand here, a column for each version.",
  );
}

/** Of all that the card shows, so that a version has one colour in figures and charts. */
function colorsIn(model: Model, metrics: Metrics): Map<number, number | "off"> {
  const counted = metrics.versions.filter(({ requests }) => requests > 0).map(({ version }) => version);
  const arms = (model.release?.arms ?? []).map(({ version }) => version);
  return colorsOf(model, [...new Set([...arms, ...counted.toReversed()])]);
}

function chartsView(): View {
  let shown: Model | null = null;
  let pointedMs: number | null = null;
  const views = [0, 1, 2, 3].map(() => chartView(point));
  const legend = h("ul", { class: "legend", "aria-label": "Legend" });
  const where = h("p", { class: "moment muted" });
  const grid = h("div", { class: "charts" }, ...views.map((view) => view.element));
  const table = seriesTable();
  const element = h("div", { class: "charts-all" }, legend, where, grid, table.element);
  function point(atMs: number | null): void {
    pointedMs = atMs;
    if (shown !== null) draw(shown);
  }
  function draw(model: Model): void {
    shown = model;
    const metrics = model.observed.metrics.body;
    const charts = metrics === null ? [] : chartsOf(metrics);
    const marks = charts[0] === undefined ? [] : marksOf(model.revisions, charts[0].frame);
    const moment = momentAt(charts, marks, pointedMs);
    element.hidden = moment === null;
    if (metrics === null || moment === null || charts[0] === undefined) return;
    const colors = colorsIn(model, metrics);
    const lines = charts[0].lines.map(({ version }) => ({ version, color: colors.get(version) ?? "off" }));
    const kinds = new Set(marks.map(({ kind }) => kind));
    const isCut = isLogCut(model, charts[0].frame.fromMs);
    const arms = model.release?.arms ?? [];
    redraw(legend, [lines, [...kinds], arms, isCut], () => drawLegend(lines, arms, kinds, isCut));
    redraw(where, moment, () => [sayMoment(moment)]);
    const { tickMs } = windowOf(model.observed.metricsWindow);
    for (const [index, chart] of charts.entries())
      views[index]?.draw({ chart, colors, marks, moment, tickMs });
    table.draw({ metrics, marks, stepMs: charts[0].frame.stepMs });
  }
  return { element, draw };
}

function sayMoment({ time, changes, isPointed }: Moment): string {
  if (!isPointed) return `Latest: ${time}. Point at a chart for other moments, or use the arrow keys on it.`;
  return [`At ${time}`, ...changes].join("; ");
}

/** The window goes back further than the revisions that were read. */
function isLogCut({ revisions, nextBefore }: Model, fromMs: number): boolean {
  const oldest = revisions.at(-1);
  return nextBefore !== null && oldest !== undefined && Date.parse(oldest.at) > fromMs;
}

const MARKS = [
  ["change", "release changed"],
  ["rollback", "rolled back by hand"],
  ["guardrail", "rolled back by a guardrail"],
] as const;

function drawLegend(
  lines: { version: number; color: number | "off" }[],
  arms: ReleaseView["arms"],
  kinds: Set<MarkKind>,
  isCut: boolean,
): Child[] {
  return [
    ...lines.map(({ version, color }) => {
      const arm = arms.find((one) => one.version === version)?.arm;
      return h("li", {}, dot(color), `v${version} ${arm ? ARM_LABELS[arm].toLowerCase() : "off"}`);
    }),
    ...MARKS.filter(([kind]) => kinds.has(kind)).map(([kind, text]) =>
      h("li", {}, h("span", { class: "change-sample", "data-kind": kind, "aria-hidden": "true" }), text),
    ),
    isCut && h("li", {}, "older changes are in the audit log"),
  ];
}
