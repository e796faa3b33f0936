// The one kind of dialog: a question with a reason field, a confirming and a cancelling button. It is the browser's
// own modal, so focus, Escape and screen readers behave as everywhere.

import { h, icon, newId, type Child } from "../dom.ts";

export type DialogOptions = {
  title: string;
  tone: "danger" | "primary";
  confirm: string;
  /** What it will do, above the fields. */
  lead: Child[];
  fields: Child[];
  /** Called on confirm; true closes the dialog. */
  submit(form: HTMLFormElement, problems: HTMLElement): Promise<boolean>;
};

export function openDialog(options: DialogOptions): void {
  const titleId = newId("dialog");
  const problems = h("div", {});
  const form = h(
    "form",
    { class: "stack" },
    h("div", { class: "lead" }, ...options.lead),
    ...options.fields,
    problems,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      h("button", { type: "submit", class: options.tone }, options.confirm),
    ),
  );
  const dialog = h(
    "dialog",
    { "aria-labelledby": titleId, onclose: () => dialog.remove() },
    h(
      "header",
      {},
      h("h2", { id: titleId }, options.title),
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() },
        icon("close"),
      ),
    ),
    form,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void options.submit(form, problems).then((done) => done && dialog.close());
  });
  document.body.append(dialog);
  dialog.showModal();
  form.querySelector<HTMLElement>("input, select, textarea")?.focus();
}

/** Label and input for the line of the audit log that says why. */
export function reasonField(placeholder: string): HTMLElement {
  const id = newId("reason");
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, "Reason ", h("span", { class: "muted" }, "for the audit log")),
    h("input", { id, name: "reason", type: "text", maxlength: 1000, placeholder, autocomplete: "off" }),
  );
}

/** A group of radio buttons; the first is chosen. */
export function choiceField(
  name: string,
  legend: string,
  choices: { value: string; label: string; hint: string }[],
): HTMLElement {
  return h(
    "fieldset",
    { class: "field choices" },
    h("legend", {}, legend),
    ...choices.map(({ value, label, hint }, index) =>
      h(
        "label",
        { class: "choice" },
        h("input", { type: "radio", name, value, checked: index === 0 }),
        h("span", {}, h("strong", {}, label), h("span", { class: "muted" }, ` ${hint}`)),
      ),
    ),
  );
}

/** Value of a named control of a form; empty when there is none. */
export function valueOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}
