// Weights as a bar. Every arm with a weight is visible (a 0.01 % canary takes one cell), arms differ in shade as
// well as in colour, so that the bar still reads without colours, and in ASCII.

import { paint, type Look, type Style } from "./look.ts";

const SHADES = ["█", "▓", "▒", "░"];
const ASCII_SHADES = ["#", "=", "+", "-"];
const COLOURS: Style[] = ["green", "yellow", "magenta", "cyan"];

/** The mark of the arm at this place: the same in the bar and in front of the arm's line. */
export function armMark(look: Look, place: number): string {
  const shades = look.unicode ? SHADES : ASCII_SHADES;
  return shades[place % shades.length]!;
}

export function armStyle(place: number): Style {
  return COLOURS[place % COLOURS.length]!;
}

export function formatBar(look: Look, weights: number[], columns: number): string {
  return divideCells(weights, columns)
    .map((cells, place) => paint(look, armStyle(place), armMark(look, place).repeat(cells)))
    .join("");
}

/** Cells per weight, by largest remainder: they add up to `columns`, and a weight above 0 gets at least one. */
export function divideCells(weights: number[], columns: number): number[] {
  const total = sum(weights);
  if (total <= 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (weight / total) * columns);
  const cells = exact.map((share) => (share > 0 ? Math.max(1, Math.floor(share)) : 0));
  const byRemainder = exact
    .map((share, place) => ({ place, remainder: share - Math.floor(share) }))
    .toSorted((one, other) => other.remainder - one.remainder);
  for (const { place } of byRemainder) {
    if (sum(cells) >= columns) break;
    if (weights[place]! > 0) cells[place]! += 1;
  }
  while (sum(cells) > columns) {
    const largest = cells.indexOf(Math.max(...cells));
    if (cells[largest]! <= 1) break;
    cells[largest]! -= 1;
  }
  return cells;
}

function sum(values: number[]): number {
  return values.reduce((subtotal, value) => subtotal + value, 0);
}
