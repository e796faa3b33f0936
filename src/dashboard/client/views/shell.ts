// The frame of the page: who is signed in, the list of prompts, the environment, the status line, and the cards of the
// chosen prompt.

import type { App, View } from "../app.ts";
import { h, newId, redraw, type Child } from "../dom.ts";
import type { Model } from "../model.ts";
import { brand } from "./brand.ts";
import { canaryCard } from "./canary.ts";
import { connectCard } from "./connect.ts";
import { diffCard } from "./diff.ts";
import { openEnvironment } from "./environment.ts";
import { eventsCard } from "./events.ts";
import { explainCard } from "./explain.ts";
import { healthCard } from "./health.ts";
import { logCard } from "./log.ts";
import { refreshAges, releaseCard } from "./release.ts";
import { trafficCard } from "./traffic.ts";
import { versionsCard } from "./versions.ts";

const NEW_ENVIRONMENT = "+";

export function shellView(app: App, status: HTMLElement): View {
  const header = topBar(app);
  const sidebar = promptList(app);
  const title = titleRow(app);
  const warning = h("div", { role: "alert" });
  const wide = [releaseCard(app), healthCard(app), trafficCard(app)];
  const left = [canaryCard(app), explainCard(app), connectCard()];
  const right = [versionsCard(app), diffCard(app), eventsCard(app), logCard(app)];
  const columns = h("div", { class: "columns" }, columnOf(left), columnOf(right));
  const inside = [title.element, warning, status, ...wide.map((view) => view.element), columns];
  const main = h("main", { id: "main", tabindex: -1 }, ...inside);
  const nothing = h("main", { hidden: true }, noPrompts());
  const element = h(
    "div",
    { class: "shell" },
    h("a", { class: "skip", href: "#main", onclick: focusMain }, "Skip to the release"),
    header.element,
    h("div", { class: "body" }, sidebar.element, main, nothing),
  );
  return {
    element,
    draw(model) {
      const empty = !model.loading && model.prompts.length === 0 && model.unreachable === null;
      main.hidden = empty;
      nothing.hidden = !empty;
      redraw(warning, model.unreachable, () => drawWarning(model));
      for (const view of [header, sidebar, title, ...wide, ...left, ...right]) drawApart(view, model);
      refreshAges(main);
      document.title = model.prompt === null ? "Switchback" : `${model.prompt} · Switchback`;
    },
  };
}

/** A view that fails says so in its place, and keeps no other from being drawn. */
function drawApart(view: View, model: Model): void {
  const { element } = view;
  element.querySelector(":scope > .undrawn")?.remove();
  try {
    view.draw(model);
  } catch (error) {
    const says = "This part cannot be shown. Reload the page; it may be older than the server.";
    element.append(h("p", { class: "warning undrawn" }, says));
    reportError(error);
  }
}

function columnOf(views: View[]): HTMLElement {
  return h("div", { class: "column" }, ...views.map(({ element }) => element));
}

/** Without following the link: the address holds the selection. */
function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function topBar(app: App): View {
  const who = h("span", { class: "who" });
  const signOut = h("button", { class: "quiet small", onclick: () => app.signOut() }, "Sign out");
  const docs = h("a", { href: "/docs" }, "API");
  const element = h("header", { class: "top" }, brand(), h("div", { class: "account" }, docs, who, signOut));
  return {
    element,
    draw: ({ actor }) =>
      void redraw(who, actor, () => [
        h("strong", {}, actor.name),
        " ",
        actor.name !== actor.role && h("span", { class: "badge" }, actor.role),
      ]),
  };
}

function promptList(app: App): View {
  const filter = h("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter prompts",
    autocomplete: "off",
  });
  const list = h("ul", {});
  const element = h(
    "nav",
    { class: "sidebar", "aria-label": "Prompts" },
    h("h2", {}, "Prompts"),
    filter,
    list,
  );
  const draw = (model: Model) => {
    filter.hidden = model.prompts.length < 8;
    const wanted = filter.value.trim().toLowerCase();
    const shown = model.prompts.filter(({ name, tags, owner }) =>
      [name, owner, ...tags].some((text) => text.toLowerCase().includes(wanted)),
    );
    redraw(list, [shown, model.prompt], () => shown.map((prompt) => promptEntry(app, model, prompt)));
  };
  filter.addEventListener("input", () => draw(app.model));
  return { element, draw };
}

function promptEntry(app: App, model: Model, prompt: Model["prompts"][number]): HTMLElement {
  const { name, kind, latestVersion } = prompt;
  const latest = latestVersion === 0 ? "empty" : `v${latestVersion}`;
  return h(
    "li",
    {},
    h(
      "button",
      {
        class: "entry",
        "aria-current": name === model.prompt ? "page" : null,
        "data-focus": `prompt-${name}`,
        onclick: () => app.choose(name, model.environment),
      },
      h("span", { class: "entry-name" }, name),
      h("span", { class: "muted" }, [kind === "partial" && "partial", latest].filter(Boolean).join(" · ")),
    ),
  );
}

function titleRow(app: App): View {
  const text = h("div", { class: "title-text" });
  const picker = h("select", { id: newId("prompt"), "aria-label": "Prompt", class: "prompt-picker" });
  const environment = h("select", { id: newId("environment") });
  picker.addEventListener("change", () => app.choose(picker.value, app.model.environment));
  environment.addEventListener("change", () => {
    if (environment.value !== NEW_ENVIRONMENT) return app.choose(app.model.prompt, environment.value);
    environment.value = app.model.environment;
    openEnvironment(app);
  });
  const element = h(
    "div",
    { class: "title" },
    text,
    h("div", { class: "pickers" }, picker, h("label", { for: environment.id }, "Environment"), environment),
  );
  return {
    element,
    draw(model) {
      const prompt = model.prompts.find(({ name }) => name === model.prompt);
      redraw(text, [model.prompt, prompt], () => [
        h("h1", {}, model.prompt ?? ""),
        prompt?.description && h("p", { class: "muted" }, prompt.description),
        prompt && h("p", { class: "muted" }, describePrompt(prompt)),
      ]);
      const names = model.prompts.map(({ name }) => name);
      redraw(picker, [names, model.prompt], () => options(names, model.prompt));
      redraw(environment, [model.environments, model.environment], () => [
        ...options(model.environments, model.environment),
        h("option", { value: NEW_ENVIRONMENT }, "Another …"),
      ]);
    },
  };
}

/** Of the settings that have a usual value only another one is said. */
function describePrompt({ owner, tags, unit, shield, agents }: Model["prompts"][number]): string {
  const facts = [
    owner && `owner ${owner}`,
    `sticky per ${unit}`,
    shield === false && "shield off",
    agents === "off" && "no prompt for coding agents",
    tags.filter((tag) => tag !== owner).join(", "),
  ];
  return facts.filter(Boolean).join(" · ");
}

function options(names: string[], selected: string | null): HTMLElement[] {
  return names.map((name) => h("option", { value: name, selected: name === selected }, name));
}

function drawWarning({ unreachable }: Model): Child[] {
  if (unreachable === null) return [];
  return [
    h(
      "p",
      { class: "warning" },
      h("strong", {}, `${unreachable.title}.`),
      " The figures below may be old. Trying again every two seconds.",
    ),
  ];
}

function noPrompts(): HTMLElement {
  return h(
    "section",
    { class: "card hero-empty" },
    h("h1", {}, "No prompts yet"),
    h("p", { class: "muted" }, "A prompt appears here with its first push:"),
    h("pre", {}, "npx switchback push my-prompt.json"),
  );
}
