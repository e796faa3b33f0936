// The table of versions side by side: figure.ts's rows as they are.

import type { ReleaseView } from "../../../core/types.ts";
import { h, type Child } from "../dom.ts";
import { figureRows, type Column, type Contrast, type Figure } from "../figures.ts";
import { ARM_LABELS, formatWeight } from "../format.ts";
import { dot } from "./chart.ts";

type Arms = ReleaseView["arms"];

export function figuresTable(
  { columns, left }: { columns: Column[]; left: number[] },
  colors: Map<number, number | "off">,
  arms: Arms,
): Child[] {
  const heads = columns.flatMap((column) => drawHeads(column, colors, arms));
  const rows = figureRows(columns).map(({ name, figures, contrasts }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      ...figures.flatMap((figure, index) => {
        const cells = [drawFigure(figure)];
        if (columns[index]?.comparison) cells.push(drawContrast(contrasts[index] ?? null));
        return cells;
      }),
    ),
  );
  const isCompared = columns.some(({ comparison }) => comparison !== null);
  return [
    h(
      "table",
      { class: "figures-table" },
      h("thead", {}, h("tr", {}, h("td", {}), ...heads)),
      h("tbody", {}, ...rows),
    ),
    left.length > 0 &&
      h("p", { class: "muted fine" }, `Not shown: ${left.map((one) => `v${one}`).join(", ")}.`),
    isCompared && h("p", { class: "muted fine" }, RULE),
  ];
}

const RULE =
  "Differences are of requests that were split between the two, in the same stretches of time. Intervals are 95 % and of one look: to decide by them, use the guardrails above, which may be looked at all the time.";

function drawHeads(
  { version, comparison }: Column,
  colors: Map<number, number | "off">,
  arms: Arms,
): HTMLElement[] {
  const arm = arms.find((one) => one.version === version);
  const place = arm === undefined ? "No traffic" : `${ARM_LABELS[arm.arm]} ${formatWeight(arm.weight)}`;
  const head = h(
    "th",
    { scope: "col", "data-version": version },
    dot(colors.get(version) ?? "off"),
    `v${version} `,
    h("span", { class: "muted" }, place),
  );
  if (comparison === null) return [head];
  return [head, h("th", { scope: "col", class: "contrast" }, `v${version} against v${comparison.baseline}`)];
}

function drawFigure({ text, note }: Figure): HTMLElement {
  return h("td", {}, h("strong", {}, text), note !== "" && h("span", { class: "muted" }, ` ${note}`));
}

function drawContrast(contrast: Contrast | null): HTMLElement {
  if (contrast === null) return h("td", { class: "contrast" });
  const { text, note, tone } = contrast;
  return h(
    "td",
    { class: "contrast", "data-tone": tone },
    h("strong", {}, text),
    tone !== "same" && h("span", { class: "tone" }, ` ${tone}`),
    note !== "" && h("span", { class: "muted" }, ` ${note}`),
  );
}
