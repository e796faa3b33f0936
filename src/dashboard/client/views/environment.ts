// Looks at an environment that has no release yet, so that its first canary or promote can be made here.

import type { App } from "../app.ts";
import { h, newId } from "../dom.ts";
import { openDialog, valueOf } from "./dialog.ts";

export function openEnvironment(app: App): void {
  const id = newId("name");
  openDialog({
    title: "Another environment",
    tone: "primary",
    confirm: "Show it",
    lead: [
      h(
        "p",
        { class: "muted" },
        "It comes into being with the first canary, promote, rollback or ramp made in it, from production’s baseline.",
      ),
    ],
    fields: [
      h(
        "div",
        { class: "field" },
        h("label", { for: id }, "Name"),
        h("input", {
          id,
          name: "name",
          type: "text",
          required: true,
          pattern: "[a-z0-9][a-z0-9_\\-]{0,62}",
          placeholder: "staging",
          autocomplete: "off",
          title: "a-z, 0-9, - and _",
        }),
      ),
    ],
    submit: async (form) => {
      app.choose(app.model.prompt, valueOf(form, "name"));
      return true;
    },
  });
}
