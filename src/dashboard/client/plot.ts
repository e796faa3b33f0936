// A series of figures → the paths of an SVG drawing, without the DOM. The drawing is WIDTH × HEIGHT, stretched to its place
// by the browser, so one set of paths fits a phone and a desk. Guarantees: where nothing was counted the line is
// interrupted, never drawn through; nothing leaves the drawing.

export const WIDTH = 1_000;
export const HEIGHT = 100;

/** What was counted in the step of time that begins at `atMs`; `low` and `high` where it is known how sure `y` is. */
export type Dot = { atMs: number; y: number; low?: number; high?: number };

/** What the drawing shows: from left to right, and from 0 to `top`. */
export type Frame = { fromMs: number; toMs: number; stepMs: number; top: number };

/** Values of the attribute `d`; "": nothing to draw. */
export type Paths = { line: string; band: string };

/** Dots oldest first, each drawn in the middle of its step. */
export function drawPaths(dots: readonly Dot[], frame: Frame): Paths {
  const runs = splitRuns(dots, frame.stepMs);
  return {
    line: runs.map((run) => drawLine(run, frame)).join(""),
    band: runs.map((run) => drawBand(run, frame)).join(""),
  };
}

/** Percent from the left edge, of a moment; out of the frame: beyond 0 and 100. */
export function placeOf(atMs: number, { fromMs, toMs }: Pick<Frame, "fromMs" | "toMs">): number {
  return toMs > fromMs ? (100 * (atMs - fromMs)) / (toMs - fromMs) : 0;
}

/** The least of 1, 2, 2.5 and 5 times a power of ten that `most` fits under; 1 for nothing. */
export function niceTop(most: number): number {
  if (!(most > 0) || !Number.isFinite(most)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  // Of binary fractions: 0.3 is a little less than 3 times 0.1.
  const factor = [1, 2, 2.5, 5].find((one) => most <= one * power * (1 + 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(3));
}

/** The moments between the edges that are whole multiples of `everyMs`, none so near to an edge that its label would not
 * fit there. */
export function timeTicks({ fromMs, toMs }: Pick<Frame, "fromMs" | "toMs">, everyMs: number): number[] {
  const marginMs = (toMs - fromMs) * 0.04;
  const first = Math.ceil((fromMs + marginMs) / everyMs) * everyMs;
  const ticks: number[] = [];
  for (let atMs = first; atMs <= toMs - marginMs; atMs += everyMs) ticks.push(atMs);
  return ticks;
}

/** Beginnings of the steps that lie in the frame, the one under way included. */
export function stepsOf({ fromMs, toMs, stepMs }: Omit<Frame, "top">): number[] {
  const first = Math.ceil(fromMs / stepMs) * stepMs;
  const count = Math.max(1, Math.ceil((toMs - first) / stepMs));
  return Array.from({ length: count }, (_, index) => first + index * stepMs);
}

function splitRuns(dots: readonly Dot[], stepMs: number): Dot[][] {
  const runs: Dot[][] = [];
  let before = -Infinity;
  for (const dot of dots) {
    if (dot.atMs - before > stepMs * 1.5) runs.push([]);
    runs.at(-1)!.push(dot);
    before = dot.atMs;
  }
  return runs;
}

/** Alone, a dot is as wide as its step. */
function drawLine(run: readonly Dot[], frame: Frame): string {
  const [only] = run;
  if (run.length === 1 && only) {
    return `M${xOf(only.atMs, frame)} ${yOf(only.y, frame)}H${xOf(only.atMs + frame.stepMs, frame)}`;
  }
  return join(
    "M",
    run.map(({ atMs, y }) => pointOf(atMs, y, frame)),
  );
}

function drawBand(run: readonly Dot[], frame: Frame): string {
  const known = run.flatMap(({ atMs, low, high }) =>
    low === undefined || high === undefined ? [] : [{ atMs, low, high }],
  );
  const [only] = known;
  if (known.length === 0 || known.length < run.length) return "";
  if (known.length === 1 && only) {
    const [high, low] = [yOf(only.high, frame), yOf(only.low, frame)];
    return `M${xOf(only.atMs, frame)} ${high}H${xOf(only.atMs + frame.stepMs, frame)}V${low}H${xOf(only.atMs, frame)}Z`;
  }
  const there = known.map(({ atMs, high }) => pointOf(atMs, high, frame));
  const back = known.toReversed().map(({ atMs, low }) => pointOf(atMs, low, frame));
  return `${join("M", there)}${join("L", back)}Z`;
}

function join(first: "M" | "L", points: readonly string[]): string {
  return points.map((point, index) => (index === 0 ? first : "L") + point).join("");
}

function pointOf(atMs: number, y: number, frame: Frame): string {
  return `${xOf(atMs + frame.stepMs / 2, frame)} ${yOf(y, frame)}`;
}

function xOf(atMs: number, frame: Frame): number {
  return round(within((WIDTH * placeOf(atMs, frame)) / 100, WIDTH));
}

/** Downwards. */
function yOf(value: number, { top }: Frame): number {
  return round(within(HEIGHT * (1 - value / top), HEIGHT));
}

function within(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
