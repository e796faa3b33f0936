// The few lines that stand in for a framework: build elements from data, and replace a part of the page only when the
// data that it shows has changed. Nothing here takes HTML as text, so no content of a prompt can become markup.

export type Child = Node | string | number | null | undefined | false;
export type Attributes = {
  [name: string]: string | number | boolean | null | undefined | ((event: Event) => void);
};

/** `h("button", {class: "quiet", onclick: act}, "Go")`. false, null and undefined leave an attribute out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  applyAttributes(element, attributes);
  appendAll(element, children);
  return element;
}

function applyAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
}

export function appendAll(parent: Element, children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

const shown = new WeakMap<Element, string>();

/** Rebuilds the inside of `host` when `data` differs from what was drawn last; focus stays on the element with the
 * same `data-focus`. Returns whether it drew. */
export function redraw(host: Element, data: unknown, build: () => Child[]): boolean {
  const print = JSON.stringify(data) ?? "";
  if (shown.get(host) === print) return false;
  const focused = host.contains(document.activeElement)
    ? document.activeElement?.getAttribute("data-focus")
    : null;
  // First, so that what cannot be built is tried again, and what stood here stays.
  const children = build();
  shown.set(host, print);
  host.replaceChildren();
  appendAll(host, children);
  const again = focused && host.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`);
  if (again) again.focus({ preventScroll: true });
  return true;
}

const SVG = "http://www.w3.org/2000/svg";

/** As `h`, of a drawing. */
export function s(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  applyAttributes(element, attributes);
  appendAll(element, children);
  return element;
}

/** Line drawings on a 24 × 24 grid; decoration only, hidden from assistive technology. */
const ICONS = {
  rollback: "M5 9h10a5 5 0 0 1 0 10H8M9 5 5 9l4 4",
  promote: "M12 19V6M6 12l6-6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v10H9zM15 9V5H5v10h4",
  check: "M5 13l4 4L19 7",
  alert: "M12 8v5M12 16.5v.5M12 3 2.5 20h19z",
  chevron: "M9 6l6 6-6 6",
} as const;

export function icon(name: keyof typeof ICONS): SVGElement {
  const attributes = { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" };
  return s("svg", attributes, s("path", { d: ICONS[name] }));
}

/** Ids for label and field pairs. */
let lastId = 0;
export function newId(prefix: string): string {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
