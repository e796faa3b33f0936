// The figures behind the charts, as a table for whoever does not read drawings. Built only while it is open.

import type { Metrics } from "../../../admin/schemas.ts";
import { sayRate } from "../../../core/watching/says.ts";
import { sayMoney, sayMs } from "../figures.ts";
import { h, redraw, type Child } from "../dom.ts";
import { formatCount, formatMoment } from "../format.ts";
import { costPerThousand, versionPoints, type Mark } from "../series.ts";

type SeriesData = { metrics: Metrics; marks: Mark[]; stepMs: number };

export function seriesTable(): { element: HTMLElement; draw(data: SeriesData): void } {
  const inside = h("div", {
    class: "series-scroll",
    tabindex: 0,
    role: "region",
    "aria-label": "Figures behind the charts",
  });
  const element = h("details", { class: "series" }, h("summary", {}, "The charts as a table"), inside);
  let data: SeriesData | null = null;
  const show = () => {
    if (!element.open || data === null) return;
    const shown = data;
    redraw(inside, shown, () => [drawTable(shown), ...drawMarks(shown)]);
  };
  element.addEventListener("toggle", show);
  return {
    element,
    draw(next) {
      data = next;
      show();
    },
  };
}

const HEADS = ["From", "Version", "Requests", "Errors", "Error rate", "Latency p50", "Cost of 1,000"];

function drawTable({ metrics, stepMs }: SeriesData): HTMLElement {
  const rows = versionPoints(metrics)
    .toReversed()
    .map((point) => {
      const { atMs, version, requests, errors, p50Ms } = point;
      const cost = costPerThousand(point);
      const cells = [
        `v${version}`,
        formatCount(requests),
        formatCount(errors),
        requests === 0 ? "–" : sayRate(errors / requests),
        p50Ms === null ? "–" : sayMs(p50Ms),
        cost === null ? "unknown" : sayMoney(cost),
      ];
      const head = h("th", { scope: "row" }, formatMoment(atMs, stepMs));
      return h("tr", {}, head, ...cells.map((text) => h("td", {}, text)));
    });
  const heads = HEADS.map((text) => h("th", { scope: "col" }, text));
  return h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
}

function drawMarks({ marks, stepMs }: SeriesData): Child[] {
  if (marks.length === 0) return [];
  const lines = marks
    .toReversed()
    .map(({ atMs, says }) => h("li", {}, `${formatMoment(atMs, stepMs)}: ${says}`));
  return [h("p", {}, h("strong", {}, "Changes of the release")), h("ul", {}, ...lines)];
}
