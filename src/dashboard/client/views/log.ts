// The audit log: who changed the release when, how and why, newest first. It only ever grows.

import type { Revision } from "../../../core/types.ts";
import type { App, View } from "../app.ts";
import { h, redraw, type Child } from "../dom.ts";
import { ACTION_LABELS, formatAge, formatChange, RAMP_LABELS } from "../format.ts";
import type { Model } from "../model.ts";
import { timeElement } from "./release.ts";

export function logCard(app: App): View {
  const list = h("ol", { class: "log" });
  const more = h("div", {});
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "log-title" },
    h("h2", { id: "log-title" }, "Audit log"),
    list,
    more,
  );
  return {
    element,
    draw(model) {
      const ages = model.revisions.map(({ at }) => formatAge(at, Date.now()));
      const print = model.revisions.map(({ revision, environment }) => [environment, revision]);
      redraw(list, [model.prompt, print, ages, model.loading], () => drawLog(model));
      redraw(more, model.nextBefore, () => (model.nextBefore === null ? [] : [olderButton(app)]));
    },
  };
}

function drawLog({ revisions, loading }: Model): Child[] {
  if (revisions.length > 0) return revisions.map(drawRevision);
  return [h("li", { class: "empty" }, loading ? "Loading …" : "Nothing has happened yet.")];
}

function drawRevision({ revision, at, actor, action, reason, before, after, ramp }: Revision): HTMLElement {
  const ends = ramp?.event === "end" ? ", ends the ramp" : "";
  return h(
    "li",
    { "data-revision": revision, "data-action": action },
    h("span", { class: "log-revision muted" }, `r${revision}`),
    h(
      "span",
      { class: `badge action-${action}` },
      action === "ramp" && ramp ? RAMP_LABELS[ramp.event] : ACTION_LABELS[action],
    ),
    h(
      "div",
      { class: "log-what" },
      h("span", { class: "log-change" }, `${formatChange(before, after)}${ends}`),
      reason === "" ? null : h("q", {}, reason),
    ),
    h("span", { class: "log-who" }, actor),
    h("span", { class: "log-when muted" }, timeElement(at)),
  );
}

function olderButton(app: App): HTMLElement {
  return h(
    "button",
    { class: "quiet", "data-focus": "older", onclick: () => void app.loadOlderRevisions() },
    "Show older",
  );
}
