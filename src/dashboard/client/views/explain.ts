// Which version does this user get, and why? The server answers; the page says it in a sentence.

import type { ArmName, Reason } from "../../../core/types.ts";
import { failed } from "../api.ts";
import type { App, View } from "../app.ts";
import { h, newId } from "../dom.ts";
import { formatCount, REASON_TEXTS } from "../format.ts";
import { colorOf, promptPath } from "../model.ts";
import { problemBox } from "./problem.ts";

type Explanation = {
  key: string;
  version: number;
  arm: ArmName;
  reason: Reason;
  revision: number;
  bucket: number | null;
};

export function explainCard(app: App): View {
  const input = h("input", {
    id: newId("key"),
    name: "key",
    type: "text",
    required: true,
    maxlength: 1024,
    placeholder: "user-42",
    autocomplete: "off",
    spellcheck: "false",
  });
  const result = h("div", { "aria-live": "polite" });
  const form = createForm(app, input, result);
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "explain-title" },
    h("h2", { id: "explain-title" }, "Who gets what?"),
    form,
  );
  let shownFor = "";
  return {
    element,
    draw({ prompt, environment, release }) {
      const current = `${prompt} ${environment} ${release?.revision}`;
      if (current !== shownFor) result.replaceChildren();
      shownFor = current;
    },
  };
}

function createForm(app: App, input: HTMLInputElement, result: HTMLElement): HTMLFormElement {
  const hint = h("span", { class: "muted" }, "as in the Prompt-Key header");
  const submit = h("button", { type: "submit", class: "quiet" }, "Explain");
  const field = h(
    "div",
    { class: "field" },
    h("label", { for: input.id }, "Unit key ", hint),
    h("div", { class: "inline" }, input, submit),
  );
  const form = h("form", { class: "stack" }, field, result);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void explain(app, input.value, result);
  });
  return form;
}

async function explain(app: App, key: string, result: HTMLElement): Promise<void> {
  const { prompt, environment } = app.model;
  const query = new URLSearchParams({ key, environment });
  const reply = await app.api.read<Explanation>(promptPath(prompt ?? "", `/explain?${query}`));
  result.replaceChildren(failed(reply) ? problemBox(reply.problem) : sentence(app, key, reply.body));
}

function sentence(app: App, key: string, answer: Explanation): HTMLElement {
  const bucket = answer.bucket === null ? "" : ` · bucket ${formatCount(answer.bucket)} of 10,000`;
  return h(
    "div",
    { class: "answer" },
    h("span", { class: `dot color-${colorOf(app.model, answer.version) ?? "off"}`, "aria-hidden": "true" }),
    h(
      "div",
      {},
      h("p", {}, h("code", {}, key), " gets ", h("strong", {}, `v${answer.version}`), ` (${answer.arm})`),
      h(
        "p",
        { class: "muted" },
        `because ${REASON_TEXTS[answer.reason]}${bucket} · revision ${answer.revision}`,
      ),
    ),
  );
}
