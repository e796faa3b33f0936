// The table of versions side by side: rows of ../figures.ts as they are.

import type { ReleaseView } from "../../../core/types.ts";
import { h, type Child } from "../dom.ts";
import { figureRows, type Column, type Contrast, type Figure } from "../figures.ts";
import { ARM_LABELS, formatWeight } from "../format.ts";
import { dot } from "./chart.ts";
import { table, tableRow } from "./table.ts";

type Arms = ReleaseView["arms"];

export function figuresTable(
  { columns, left }: { columns: Column[]; left: number[] },
  colors: Map<number, number | "off">,
  arms: Arms,
): Child[] {
  const heads = columns.flatMap((column) => drawHeads(column, colors, arms));
  const rows = figureRows(columns).map(({ name, figures, contrasts }) =>
    tableRow(
      h("th", { role: "rowheader", scope: "row" }, name),
      ...columns.flatMap((column, index) => [
        drawFigure(figures[index]!, column),
        column.comparison && drawContrast(contrasts[index] ?? null, labelOf(column)),
      ]),
    ),
  );
  const isCompared = columns.some(({ comparison }) => comparison !== null);
  return [
    table("figures-table", [h("td", { role: "cell" }), ...heads], rows),
    left.length > 0 &&
      h("p", { class: "muted fine" }, `Not shown: ${left.map((one) => `v${one}`).join(", ")}.`),
    isCompared && h("p", { class: "muted fine" }, RULE),
  ];
}

const RULE =
  "Differences are of requests that were split between the two, in the same stretches of time. Intervals are 95 % and of one look: to decide by them, use the guardrails above, which may be looked at all the time.";

function drawHeads(column: Column, colors: Map<number, number | "off">, arms: Arms): HTMLElement[] {
  const { version, comparison } = column;
  const arm = arms.find((one) => one.version === version);
  const place = arm === undefined ? "No traffic" : `${ARM_LABELS[arm.arm]} ${formatWeight(arm.weight)}`;
  const head = h(
    "th",
    { role: "columnheader", scope: "col", "data-version": version },
    dot(colors.get(version) ?? "off"),
    `v${version} `,
    h("span", { class: "muted" }, place),
  );
  const contrast = { role: "columnheader", scope: "col", class: "contrast" };
  return [head, ...(comparison === null ? [] : [h("th", contrast, labelOf(column))])];
}

function labelOf({ version, comparison }: Column): string {
  return `v${version} against v${comparison?.baseline}`;
}

function drawFigure({ text, note }: Figure, { version }: Column): HTMLElement {
  return h(
    "td",
    { role: "cell", "data-label": `v${version}` },
    h("strong", {}, text),
    note !== "" && h("span", { class: "muted" }, ` ${note}`),
  );
}

function drawContrast(contrast: Contrast | null, label: string): HTMLElement {
  if (contrast === null) return h("td", { role: "cell", class: "contrast" });
  const { text, note, tone } = contrast;
  return h(
    "td",
    { role: "cell", class: "contrast", "data-tone": tone, "data-label": label },
    h("strong", {}, text),
    tone !== "same" && h("span", { class: "tone" }, ` ${tone}`),
    note !== "" && h("span", { class: "muted" }, ` ${note}`),
  );
}
