// One chart: a line for every version, a band for how sure it is, marks where the release changed, and the values at the
// moment under the pointer. By keyboard it is a slider over time, whose value is read out. Stretched by the browser, so
// the labels are text of the page and keep their size.

import { h, redraw, s, type Child } from "../dom.ts";
import { formatDay } from "../format.ts";
import { drawPaths, HEIGHT, placeOf, stepsOf, timeTicks, WIDTH, type Frame } from "../plot.ts";
import { sayTick, valuesAt, type Chart, type Mark, type Moment } from "../series.ts";

export type ChartData = {
  chart: Chart;
  /** Of a version, as the style sheet counts them. */
  colors: Map<number, number | "off">;
  marks: Mark[];
  moment: Moment;
  /** Of the time axis. */
  tickMs: number;
};

export type ChartView = { element: HTMLElement; draw(data: ChartData): void };

type Parts = ReturnType<typeof createParts>;

/** `onPoint` is told which moment is pointed at; null: none any more. */
export function chartView(onPoint: (atMs: number | null) => void): ChartView {
  const parts = createParts();
  const { caption, readout, scale, plot, times } = parts;
  const row = h("div", { class: "plot-row" }, scale, plot);
  const element = h("figure", { class: "chart" }, caption, readout, row, times);
  let data: ChartData | null = null;
  listen(plot, () => data, onPoint);
  return {
    element,
    draw(next) {
      data = next;
      element.dataset["chart"] = next.chart.name;
      drawFrame(parts, next);
      drawMoment(parts, next);
    },
  };
}

function createParts() {
  const hidden = { "aria-hidden": "true" };
  const drawing = s("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    focusable: "false",
    ...hidden,
  });
  const marks = h("div", hidden);
  const blank = h("p", { class: "blank-plot" });
  const cursor = h("div", { class: "cursor", ...hidden });
  return {
    caption: h("figcaption", {}),
    readout: h("p", { class: "readout" }),
    scale: h("div", { class: "scale", ...hidden }),
    drawing,
    marks,
    blank,
    cursor,
    plot: h("div", { class: "plot", role: "slider", tabindex: 0 }, drawing, marks, blank, cursor),
    times: h("div", { class: "times", ...hidden }),
  };
}

/** All but what depends on the moment. */
function drawFrame({ caption, scale, drawing, marks, blank, plot, times }: Parts, data: ChartData): void {
  const { chart, colors, tickMs } = data;
  const { name, title, unit, frame, lines } = chart;
  redraw(caption, name, () => [h("strong", {}, title), " ", h("span", { class: "muted" }, unit)]);
  plot.setAttribute("aria-label", `${title} over time`);
  redraw(scale, [name, frame.top], () => drawScale(chart));
  redraw(drawing, [lines, frame, [...colors]], () => drawLines(data));
  redraw(marks, [data.marks, frame], () => data.marks.map((mark) => drawMark(mark, frame)));
  const isBlank = lines.every(({ dots }) => dots.length === 0);
  scale.classList.toggle("blank", isBlank);
  redraw(blank, isBlank, () => (isBlank ? [chart.blank] : []));
  redraw(times, [frame, tickMs], () => drawTimes(frame, tickMs));
}

function drawMoment({ plot, cursor, readout }: Parts, { chart, colors, moment }: ChartData): void {
  const values = valuesAt(chart, moment);
  const spoken = values.map(({ version, text }) => `v${version} ${text}`);
  plot.setAttribute("aria-valuemin", "0");
  plot.setAttribute("aria-valuemax", String(moment.last));
  plot.setAttribute("aria-valuenow", String(moment.index));
  plot.setAttribute("aria-valuetext", [moment.time, ...spoken, ...moment.changes].join("; "));
  cursor.hidden = !moment.isPointed;
  cursor.style.left = `${within(placeOf(moment.startMs + chart.frame.stepMs / 2, chart.frame))}%`;
  redraw(readout, [spoken, [...colors]], () =>
    values.map(({ version, text }) =>
      h("span", { class: "value" }, dot(colors.get(version) ?? "off"), `v${version} `, h("strong", {}, text)),
    ),
  );
}

function listen(
  plot: HTMLElement,
  data: () => ChartData | null,
  onPoint: (atMs: number | null) => void,
): void {
  const pointAt = (event: PointerEvent) => {
    const frame = data()?.chart.frame;
    const { left, width } = plot.getBoundingClientRect();
    if (frame === undefined || width === 0) return;
    onPoint(frame.fromMs + ((frame.toMs - frame.fromMs) * (event.clientX - left)) / width);
  };
  plot.addEventListener("pointermove", pointAt);
  plot.addEventListener("pointerdown", (event) => {
    // First: focus points at the latest moment, and a finger would bring it only after the tap.
    plot.focus({ preventScroll: true });
    pointAt(event);
  });
  plot.addEventListener("pointerleave", () => plot !== document.activeElement && onPoint(null));
  plot.addEventListener("blur", () => onPoint(null));
  plot.addEventListener("focus", () => onPoint(data()?.moment.startMs ?? null));
  plot.addEventListener("keydown", (event) => {
    const now = data();
    const next = now === null ? null : indexAfter(event.key, now.moment);
    if (now === null || next === null) return;
    event.preventDefault();
    onPoint(stepsOf(now.chart.frame)[next] ?? null);
  });
}

/** null: a key that is not for the chart. */
function indexAfter(key: string, { index, last }: Moment): number | null {
  const moves: { [key: string]: number } = {
    ArrowLeft: index - 1,
    ArrowDown: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index + 1,
    PageDown: index - 10,
    PageUp: index + 10,
    Home: 0,
    End: last,
  };
  const next = moves[key];
  return next === undefined ? null : Math.min(last, Math.max(0, next));
}

export function dot(color: number | "off"): HTMLElement {
  return h("span", { class: `dot ink-${color}`, "aria-hidden": "true" });
}

function within(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}

function drawLines({ chart, colors }: ChartData): Child[] {
  const { frame, lines } = chart;
  const drawn = lines.map(({ version, dots }) => ({
    version,
    color: colors.get(version) ?? "off",
    ...drawPaths(dots, frame),
  }));
  return [
    ...[0.5, 1].map((share) => s("path", { class: "grid", d: `M0 ${HEIGHT * (1 - share)}H${WIDTH}` })),
    ...drawn.map(
      ({ version, color, band }) =>
        band !== "" && s("path", { class: `band ink-${color}`, d: band, "data-version": version }),
    ),
    ...drawn.map(({ version, color, line }) =>
      s("path", { class: `line ink-${color}`, d: line, "data-version": version }),
    ),
  ];
}

function drawScale({ name, frame: { top } }: Chart): Child[] {
  return [top, top / 2, 0].map((y) => h("span", {}, sayTick(name, y)));
}

function drawMark({ atMs, revision, kind }: Mark, frame: Frame): HTMLElement {
  const mark = h("span", { class: "change", "data-kind": kind, "data-revision": revision });
  mark.style.left = `${within(placeOf(atMs, frame))}%`;
  return mark;
}

function drawTimes(frame: Frame, tickMs: number): Child[] {
  return timeTicks(frame, tickMs).map((atMs) => {
    const label = h("span", {}, formatTick(atMs, frame));
    label.style.left = `${placeOf(atMs, frame)}%`;
    return label;
  });
}

const DAY_MS = 86_400_000;

/** "14:05", of several days "Nov 21". */
function formatTick(atMs: number, { fromMs, toMs }: Frame): string {
  return toMs - fromMs > 2 * DAY_MS ? formatDay(atMs) : new Date(atMs).toISOString().slice(11, 16);
}
