// The content of one version as people read it: messages as texts with their variables marked, the rest as JSON.

import type { VersionView } from "../../../core/ports.ts";
import { h, type Child } from "../dom.ts";

export function contentView({ content, digest, partials }: VersionView): HTMLElement {
  const { messages, note: _note, ...rest } = content;
  const settings = Object.entries(rest).filter(([, value]) => !isEmpty(value));
  return h(
    "div",
    { class: "stack" },
    ...messages.map(({ role, content: text }) =>
      h(
        "div",
        { class: "message" },
        h("span", { class: "role" }, role),
        h("pre", {}, ...markVariables(text)),
      ),
    ),
    settings.length > 0 &&
      h(
        "dl",
        { class: "settings" },
        ...settings.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, settingValue(value))]),
      ),
    partials.length > 0 &&
      h(
        "p",
        { class: "muted" },
        `Inlined partials: ${partials.map(({ name, version }) => `${name} v${version}`).join(", ")}`,
      ),
    h("p", { class: "muted digest" }, "SHA-256 ", h("code", {}, digest)),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function settingValue(value: unknown): Child {
  return h("code", {}, typeof value === "string" ? value : JSON.stringify(value, null, 1));
}

/** `{{name}}` in a text stands out. */
function markVariables(text: string): Child[] {
  return text.split(/(\{\{[^{}]*\}\})/).map((part) => (part.startsWith("{{") ? h("mark", {}, part) : part));
}
