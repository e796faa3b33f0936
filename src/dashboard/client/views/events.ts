// What happened by itself: verdicts that came and went, notices, changed models, ramps that wait. Newest first, each with its
// sentence; where a guardrail rolled back, with the way to the revision that it made.

import type { App, View } from "../app.ts";
import { h, redraw, type Child } from "../dom.ts";
import { eventLine, type EventLine } from "../verdict.ts";
import { revisionLink } from "./log.ts";
import { panelProblem } from "./problem.ts";
import { timeElement } from "./release.ts";

export function eventsCard(app: App): View {
  const problem = h("div", {});
  const list = h("ol", { class: "events" });
  const more = h("div", {});
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "events-title" },
    h("h2", { id: "events-title" }, "Events"),
    problem,
    list,
    more,
  );
  return {
    element,
    draw(model) {
      const { body, problem: why } = model.observed.events;
      element.hidden = model.release === null;
      redraw(problem, why, () => [panelProblem(why, body !== null)]);
      const lines = body?.events.map((event) => eventLine(event, model.revisions)) ?? null;
      list.hidden = lines === null && why !== null;
      redraw(list, [model.prompt, lines], () => drawEvents(app, lines));
      const isMore = typeof body?.nextBefore === "number" && model.observed.mostEvents < MOST;
      redraw(more, isMore, () => (isMore ? [olderButton(app)] : []));
    },
  };
}

/** As many as one answer of the API holds. */
const MOST = 200;

function drawEvents(app: App, lines: EventLine[] | null): Child[] {
  if (lines === null) return [h("li", { class: "empty" }, "Loading …")];
  if (lines.length === 0) {
    return [
      h(
        "li",
        { class: "empty" },
        "Nothing yet. Verdicts that change, and what guardrails notice, stand here.",
      ),
    ];
  }
  return lines.map(({ id, at, label, tone, says, rollback }) =>
    h(
      "li",
      { "data-event": id },
      h(
        "div",
        { class: "event-head" },
        h("span", { class: "verdict-chip", "data-tone": tone }, label),
        h("span", { class: "muted" }, timeElement(at)),
      ),
      h(
        "p",
        {},
        says,
        rollback !== null && " Rolled back: ",
        rollback !== null && revisionLink(app, rollback),
      ),
    ),
  );
}

function olderButton(app: App): HTMLElement {
  return h(
    "button",
    { class: "quiet", "data-focus": "older-events", onclick: () => app.showOlderEvents() },
    "Show older",
  );
}
