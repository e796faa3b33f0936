// Name and sign.

import { h, icon } from "../dom.ts";

export function brand(): HTMLElement {
  return h("span", { class: "brand" }, h("span", { class: "mark" }, icon("rollback")), "Switchback");
}
