// One chart: a line for every version, a band for how sure it is, marks where the release changed, and the values at the
// moment under the pointer. By keyboard it is a slider over time, whose value is read out. Stretched by the browser, so
// the labels are text of the page and keep their size.

import { h, redraw, s, type Child } from "../dom.ts";
import { drawPaths, HEIGHT, placeOf, timeTicks, WIDTH, type Frame } from "../plot.ts";
import { sayDot, sayTick, type Chart, type Mark } from "../series.ts";

export type ChartData = {
  chart: Chart;
  /** Of a version, as the style sheet counts them. */
  colors: Map<number, number | "off">;
  marks: Mark[];
  /** Of the time axis. */
  tickMs: number;
};

export type ChartView = {
  element: HTMLElement;
  draw(data: ChartData): void;
  point(atMs: number | null): void;
};

export function chartView(onPoint: (atMs: number | null) => void): ChartView {
  const caption = h("figcaption", {});
  const readout = h("p", { class: "readout" });
  const scale = h("div", { class: "scale", "aria-hidden": "true" });
  const drawing = s("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
    focusable: "false",
  });
  const marks = h("div", { "aria-hidden": "true" });
  const blank = h("p", { class: "blank-plot" });
  const cursor = h("div", { class: "cursor", "aria-hidden": "true", hidden: true });
  const plot = h("div", { class: "plot", role: "slider", tabindex: 0 }, drawing, marks, blank, cursor);
  const times = h("div", { class: "times", "aria-hidden": "true" });
  const element = h(
    "figure",
    { class: "chart" },
    caption,
    readout,
    h("div", { class: "plot-row" }, scale, plot),
    times,
  );
  let data: ChartData | null = null;
  let pointedMs: number | null = null;
  const showPoint = () => {
    if (data !== null) drawPoint(data, pointedMs, { plot, cursor, readout });
  };
  listen(
    plot,
    () => data,
    () => pointedMs,
    onPoint,
  );
  return {
    element,
    draw(next) {
      data = next;
      const { chart } = next;
      element.dataset["chart"] = chart.name;
      redraw(caption, [chart.title, chart.unit], () => [
        h("strong", {}, chart.title),
        " ",
        h("span", { class: "muted" }, chart.unit),
      ]);
      plot.setAttribute("aria-label", `${chart.title} over time`);
      redraw(scale, [chart.name, chart.frame.top], () => drawScale(chart));
      redraw(drawing, [chart, [...next.colors]], () => drawLines(next));
      redraw(marks, [next.marks, chart.frame], () => next.marks.map((mark) => drawMark(mark, chart.frame)));
      const isBlank = chart.lines.every(({ dots }) => dots.length === 0);
      scale.classList.toggle("blank", isBlank);
      redraw(blank, isBlank, () => (isBlank ? [chart.blank] : []));
      redraw(times, [chart.frame, next.tickMs], () => drawTimes(chart.frame, next.tickMs));
      showPoint();
    },
    point(atMs) {
      pointedMs = atMs;
      showPoint();
    },
  };
}

/** Beginnings of the steps that the frame holds. */
function stepsOf({ fromMs, toMs, stepMs }: Frame): number[] {
  const first = Math.floor(fromMs / stepMs) * stepMs;
  return Array.from(
    { length: Math.max(1, Math.ceil((toMs - first) / stepMs)) },
    (_, index) => first + index * stepMs,
  );
}

function listen(
  plot: HTMLElement,
  data: () => ChartData | null,
  pointed: () => number | null,
  onPoint: (atMs: number | null) => void,
): void {
  const pointAt = (event: PointerEvent) => {
    const frame = data()?.chart.frame;
    const { left, width } = plot.getBoundingClientRect();
    if (frame === undefined || width === 0) return;
    onPoint(frame.fromMs + ((frame.toMs - frame.fromMs) * (event.clientX - left)) / width);
  };
  plot.addEventListener("pointermove", pointAt);
  plot.addEventListener("pointerdown", pointAt);
  plot.addEventListener("pointerleave", () => plot !== document.activeElement && onPoint(null));
  plot.addEventListener("blur", () => onPoint(null));
  plot.addEventListener("focus", () => pointed() === null && onPoint(data()?.chart.frame.toMs ?? null));
  plot.addEventListener("keydown", (event) => {
    const frame = data()?.chart.frame;
    if (frame === undefined) return;
    const steps = stepsOf(frame);
    const now = indexIn(steps, pointed() ?? frame.toMs);
    const next = indexAfter(event.key, now, steps.length - 1);
    if (next === null) return;
    event.preventDefault();
    onPoint((steps[next] ?? frame.toMs) + frame.stepMs / 2);
  });
}

function indexIn(steps: readonly number[], atMs: number): number {
  return Math.max(
    0,
    steps.findLastIndex((startMs) => startMs <= atMs),
  );
}

/** null: a key that is not for the chart. */
function indexAfter(key: string, now: number, last: number): number | null {
  const moves: { [key: string]: number } = {
    ArrowLeft: now - 1,
    ArrowDown: now - 1,
    ArrowRight: now + 1,
    ArrowUp: now + 1,
    PageDown: now - 10,
    PageUp: now + 10,
    Home: 0,
    End: last,
  };
  const next = moves[key];
  return next === undefined ? null : Math.min(last, Math.max(0, next));
}

type Parts = { plot: HTMLElement; cursor: HTMLElement; readout: HTMLElement };

/** Without a pointed moment: the latest step that anything is known of. */
function drawPoint(
  { chart, colors, marks }: ChartData,
  pointedMs: number | null,
  { plot, cursor, readout }: Parts,
): void {
  const { frame, lines, name } = chart;
  const steps = stepsOf(frame);
  const latestMs = Math.max(...lines.flatMap(({ dots }) => dots.map(({ atMs }) => atMs)), steps[0] ?? 0);
  const index = indexIn(steps, pointedMs ?? latestMs);
  const startMs = steps[index] ?? latestMs;
  const values = lines.map(({ version, dots }) => {
    const found = dots.find(({ atMs }) => atMs === startMs);
    return { version, text: found === undefined ? "no data" : sayDot(name, found) };
  });
  const seen = marks.filter(({ atMs }) => atMs >= startMs && atMs < startMs + frame.stepMs);
  const time = formatMoment(startMs, frame);
  const spoken = [
    time,
    ...values.map(({ version, text }) => `v${version} ${text}`),
    ...seen.map(({ says }) => says),
  ];
  plot.setAttribute("aria-valuemin", "0");
  plot.setAttribute("aria-valuemax", String(steps.length - 1));
  plot.setAttribute("aria-valuenow", String(index));
  plot.setAttribute("aria-valuetext", spoken.join("; "));
  cursor.hidden = pointedMs === null;
  cursor.style.left = `${within(placeOf(startMs + frame.stepMs / 2, frame))}%`;
  redraw(readout, [spoken, [...colors], pointedMs === null], () => [
    h("span", { class: "muted" }, pointedMs === null ? `Latest, ${time}` : time),
    ...values.map(({ version, text }) =>
      h("span", { class: "value" }, dot(colors.get(version) ?? "off"), `v${version} `, h("strong", {}, text)),
    ),
    ...(pointedMs === null ? [] : seen.map(({ says }) => h("span", { class: "muted" }, says))),
  ]);
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

/** "14:05:15 UTC", of several days "Nov 21, 14:00 UTC". */
export function formatMoment(atMs: number, { stepMs }: Pick<Frame, "stepMs">): string {
  const time = new Date(atMs).toISOString();
  if (stepMs < 60_000) return `${time.slice(11, 19)} UTC`;
  return `${stepMs > 3_600_000 ? `${formatDay(atMs)}, ` : ""}${time.slice(11, 16)} UTC`;
}

function formatDay(atMs: number): string {
  return new Date(atMs).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" });
}
