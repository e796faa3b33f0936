// Tables whose rows become little grids on narrow screens. Roles are spelled out, because to the browser what is a grid is no
// table any more; what stood in the heads stands before each cell there, from its `data-label`.

import { h, type Child } from "../dom.ts";

export function table(name: string, heads: Child[], rows: HTMLElement[]): HTMLElement {
  return h(
    "table",
    { class: `folding ${name}`, role: "table" },
    h("thead", { role: "rowgroup" }, tableRow(...heads)),
    h("tbody", { role: "rowgroup" }, ...rows),
  );
}

export function tableRow(...cells: Child[]): HTMLElement {
  return h("tr", { role: "row" }, ...cells);
}
