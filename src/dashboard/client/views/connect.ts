// What an app has to change to be behind this prompt: its base URL, nothing else.

import type { View } from "../app.ts";
import { h, icon, redraw } from "../dom.ts";
import type { Model } from "../model.ts";

const SDKS = [
  { label: "OpenAI SDKs", path: "/openai/v1" },
  { label: "Anthropic SDKs", path: "/anthropic" },
  { label: "Google Gen AI SDKs", path: "/gemini" },
  { label: "AWS SDKs (Bedrock), as the endpoint", path: "/bedrock" },
];

export function connectCard(): View {
  const list = h("ul", { class: "connect" });
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "connect-title" },
    h("h2", { id: "connect-title" }, "Connect an app"),
    h("p", { class: "muted" }, "Change its base URL, nothing else."),
    list,
  );
  return {
    element,
    draw(model) {
      redraw(list, [model.prompt, model.environment], () =>
        SDKS.map(({ label, path }) => baseUrl(label, mountOf(model) + path)),
      );
    },
  };
}

function mountOf({ prompt, environment }: Model): string {
  const name = environment === "production" ? prompt : `${prompt}@${environment}`;
  return `${location.origin}/p/${name}`;
}

function baseUrl(label: string, url: string): HTMLElement {
  const button = h(
    "button",
    {
      class: "icon-button",
      "aria-label": `Copy the base URL for ${label}`,
      onclick: () => {
        void navigator.clipboard.writeText(url).then(() => button.replaceChildren(icon("check")));
      },
    },
    icon("copy"),
  );
  return h("li", {}, h("span", {}, label), h("code", {}, url), button);
}
