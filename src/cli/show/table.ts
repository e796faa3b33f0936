// Aligned columns. Cells are laid out before they are painted, so that colours never shift a column; when the
// terminal is too narrow, the one column that may shrink gives way and everything else stays whole.

import { measure, paint, truncate, type Look, type Style } from "./look.ts";

export type Cell = { text: string; style?: Style; align?: "right" };
export type Row = (Cell | string)[];

export type TableOptions = {
  header?: Row;
  /** Index of the column that is cut when the line does not fit. */
  flexible?: number;
  /** Columns before each line. */
  indent?: number;
};

const GAP = 2;
const MINIMUM_FLEXIBLE = 8;

export function formatTable(look: Look, rows: Row[], options: TableOptions = {}): string[] {
  const header = (options.header ?? []).map((cell): Cell => ({ style: "dim", ...toCell(cell) }));
  const cells = [...(header.length > 0 ? [header] : []), ...rows.map((row) => row.map(toCell))];
  const widths = fitWidths(look, cells, options);
  const indent = " ".repeat(options.indent ?? 0);
  return cells.map((row) => indent + formatRow(look, row, widths));
}

function toCell(cell: Cell | string): Cell {
  return typeof cell === "string" ? { text: cell } : cell;
}

function fitWidths(look: Look, rows: Cell[][], options: TableOptions): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, measure(cell.text));
    });
  }
  const flexible = options.flexible;
  if (!look.cut || flexible === undefined || widths[flexible] === undefined) return widths;
  const used = widths.filter((width) => width > 0);
  const total = used.reduce((sum, width) => sum + width + GAP, (options.indent ?? 0) - GAP);
  const excess = Math.max(0, total - look.width);
  widths[flexible] = Math.max(Math.min(MINIMUM_FLEXIBLE, widths[flexible]), widths[flexible] - excess);
  return widths;
}

/** A column that is empty in every row takes no room at all. */
function formatRow(look: Look, row: Cell[], widths: number[]): string {
  const parts: string[] = [];
  row.forEach((cell, index) => {
    const width = widths[index] ?? 0;
    if (width === 0) return;
    const text = truncate(look, cell.text, width);
    const padding = " ".repeat(width - measure(text));
    const painted = cell.style ? paint(look, cell.style, text) : text;
    parts.push(cell.align === "right" ? padding + painted : painted + padding);
  });
  return parts.join(" ".repeat(GAP)).trimEnd();
}
