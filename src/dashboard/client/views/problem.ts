// How a refusal of the server is shown: what went wrong, where, and what to do about it. The server's `detail` names
// the mend, so it is shown as it is.

import type { ApiProblem } from "../api.ts";
import { h, icon } from "../dom.ts";

/** A box with title, detail and every field that is at fault. */
export function problemBox(problem: ApiProblem): HTMLElement {
  const errors = problem.errors ?? (problem.field ? [{ field: problem.field, message: "" }] : []);
  const fields = errors.filter(({ field, message }) => !says(problem.detail, field, message));
  return h(
    "div",
    { class: "problem", role: "alert" },
    icon("alert"),
    h(
      "div",
      {},
      h("strong", {}, problem.title),
      problem.detail ? h("p", {}, problem.detail) : null,
      fields.length > 0 &&
        h(
          "ul",
          {},
          ...fields.map(({ field, message }) =>
            h("li", {}, h("code", {}, field), message === "" ? null : ` ${message}`),
          ),
        ),
    ),
  );
}

/** A part of the page that could not be read; the others go on. null: it could. */
export function panelProblem(problem: ApiProblem | null, isOld: boolean): HTMLElement | null {
  if (problem === null) return null;
  const old = isOld ? " What stands here is from before." : "";
  return h(
    "p",
    { class: "warning panel-problem" },
    h("strong", {}, `${problem.title}.`),
    ` ${problem.detail}${old}`,
  );
}

function says(text: string, ...parts: string[]): boolean {
  return parts.every((part) => text.includes(part));
}

/** Marks the inputs of `form` (by `name`) that the server refused, and moves the focus to the first. */
export function markFields(form: HTMLFormElement, problem: ApiProblem): void {
  const refused = new Set([problem.field, ...(problem.errors ?? []).map(({ field }) => field)]);
  let first: HTMLElement | null = null;
  for (const control of form.querySelectorAll<HTMLElement>("[name]")) {
    const wrong = refused.has(control.getAttribute("name") ?? "");
    if (wrong) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    if (wrong) first ??= control;
  }
  first?.focus();
}
