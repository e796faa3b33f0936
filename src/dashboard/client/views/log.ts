// The audit log: who changed the release when, how and why, newest first. It only ever grows.

import type { Revision } from "../../../core/types.ts";
import type { App, View } from "../app.ts";
import { h, redraw, type Child } from "../dom.ts";
import { ACTION_LABELS, formatChange, RAMP_LABELS } from "../format.ts";
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
      const print = model.revisions.map(({ revision, environment }) => [environment, revision]);
      redraw(list, [model.prompt, print, model.loading], () => drawLog(model));
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
    { "data-revision": revision, "data-action": action, "data-focus": `revision-${revision}`, tabindex: -1 },
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

/** The way to a line of the log from elsewhere on the page. The address holds the selection, so it is not followed. */
export function revisionLink(app: App, revision: number): HTMLElement {
  const onclick = (event: Event) => {
    event.preventDefault();
    void showRevision(app, revision);
  };
  return h("a", { href: "#log-title", "data-focus": `link-${revision}`, onclick }, `revision ${revision}`);
}

/** Loads the log down to it. One that is not there (any more) is not shown. */
async function showRevision(app: App, revision: number): Promise<void> {
  let before: number | null = null;
  const isThere = () => app.model.revisions.some((one) => one.revision === revision);
  while (!isThere() && app.model.nextBefore !== before) {
    before = app.model.nextBefore;
    await app.loadOlderRevisions();
  }
  const line = document.querySelector<HTMLElement>(`.log [data-revision="${revision}"]`);
  line?.scrollIntoView({ block: "center" });
  line?.focus({ preventScroll: true });
}
