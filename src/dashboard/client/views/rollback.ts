// The act that this product is for: one button, one confirmation, and a countdown to the moment from which no request
// anywhere gets the version that was taken off. The countdown never ends too early (see `remainingMs`).

import type { RollbackAnswer } from "../../../core/ports.ts";
import type { App, View } from "../app.ts";
import { h, icon, newId, redraw, type Child } from "../dom.ts";
import { formatTime, remainingMs } from "../format.ts";
import { canWrite, type Enforcement, type Model } from "../model.ts";
import { send } from "./act.ts";
import { choiceField, openDialog, reasonField, valueOf } from "./dialog.ts";

/** The big button with the sentence that says what it will do. */
export function rollbackPanel(app: App): View {
  const hint = h("p", { class: "muted", id: newId("rollback-hint") });
  const button = h(
    "button",
    { class: "danger huge", "aria-describedby": hint.id, onclick: () => openRollback(app) },
    icon("rollback"),
    "Roll back",
  );
  const element = h("div", { class: "rollback-panel" }, button, hint);
  return {
    element,
    draw(model) {
      button.disabled = model.release === null || !canWrite(model) || isFirstBaseline(model);
      const text = describeTarget(model);
      redraw(hint, text, () => [text]);
    },
  };
}

function describeTarget(model: Model): string {
  if (!canWrite(model)) return "Your token may look, but not change anything.";
  const { release } = model;
  if (release === null) return "There is nothing to roll back yet.";
  const canaries = liveCanaries(model);
  if (canaries.length > 0) {
    return `Takes ${canaries.map((version) => `v${version}`).join(", ")} off: everybody back on v${release.baseline}.`;
  }
  if (isFirstBaseline(model)) return `v${release.baseline} is the first version: nothing to go back to yet.`;
  if (release.action === "rollback") {
    return `v${release.baseline} is in force after a rollback. Choose a version to go further back.`;
  }
  return `Takes v${release.baseline} off: everybody back on the last known-good version before it.`;
}

/** Nothing but the first push has happened: no version was good before this one. */
function isFirstBaseline(model: Model): boolean {
  return model.release?.action === "push" && liveCanaries(model).length === 0;
}

function liveCanaries({ release }: Model): number[] {
  const withWeight = release?.arms.filter(({ arm, weight }) => arm === "canary" && weight > 0) ?? [];
  const draining = release?.draining.filter(({ version }) => version !== release.baseline) ?? [];
  return [...new Set([...withWeight, ...draining].map(({ version }) => version))];
}

function openRollback(app: App): void {
  const { model } = app;
  const { prompt, environment } = model;
  openDialog({
    title: `Roll back ${prompt}?`,
    tone: "danger",
    confirm: "Roll back now",
    lead: [h("p", {}, describeTarget(model), " Environment: ", h("strong", {}, environment), ".")],
    fields: [
      reasonField("It promises refunds"),
      targetField(model),
      choiceField("mode", "Running conversations", [
        { value: "now", label: "Move at once", hint: "everybody leaves the version, mid-conversation too" },
        { value: "drain", label: "Let them finish", hint: "no new conversation gets it" },
      ]),
    ],
    submit: (form, problems) => rollBack(app, form, problems),
  });
}

async function rollBack(app: App, form: HTMLFormElement, problems: HTMLElement): Promise<boolean> {
  const { environment } = app.model;
  const prompt = app.model.prompt ?? "";
  const mode = valueOf(form, "mode");
  const to = valueOf(form, "to");
  const body = {
    environment,
    reason: valueOf(form, "reason"),
    mode,
    ...(to === "" ? {} : { to: Number(to) }),
  };
  const act = { app, form, problems, path: "/rollback", body, checkRevision: false };
  const reply = await send<RollbackAnswer>(act);
  if (reply === null) return false;
  const enforcement = {
    ...reply.body,
    prompt,
    environment,
    mode,
    startedAtMs: performance.now(),
    remainingMs: remainingMs(reply.body, reply.serverTimeMs),
  };
  app.say("");
  app.update({ enforcement });
  await app.reload();
  return true;
}

function targetField(model: Model): HTMLElement {
  const id = newId("to");
  const known = model.versions.filter(({ revoked }) => revoked === null);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, "To"),
    h(
      "select",
      { id, name: "to" },
      h("option", { value: "" }, "The last known-good one (usual)"),
      ...known.map(({ version, note }) =>
        h("option", { value: version }, note ? `v${version} · ${note}` : `v${version}`),
      ),
    ),
  );
}

/** The strip that counts down after a rollback, and then says since when it is enforced. */
export function enforcementStrip(app: App): View {
  const element = h("div", {});
  let ticking = 0;
  return {
    element,
    draw(model) {
      const current = currentEnforcement(model);
      const drew = redraw(element, current, () => (current ? drawStrip(app, current) : []));
      if (!drew) return;
      cancelAnimationFrame(ticking);
      if (current) ticking = tick(element, current, (frame) => (ticking = frame));
    },
  };
}

/** null once a later revision has changed the release again, or another prompt is shown. */
function currentEnforcement({ enforcement, prompt, environment, release }: Model): Enforcement | null {
  if (enforcement === null || enforcement.prompt !== prompt) return null;
  if (enforcement.environment !== environment) return null;
  return (release?.revision ?? 0) > enforcement.revision ? null : enforcement;
}

function drawStrip(app: App, { from, to, revision }: Enforcement): Child[] {
  return [
    h(
      "section",
      { class: "strip", "aria-label": "Rollback", "data-state": "waiting" },
      icon("check"),
      icon("rollback"),
      h(
        "div",
        { class: "strip-text" },
        h("strong", {}, `Rolled back: v${from} → v${to}`),
        h("span", { class: "muted" }, ` revision ${revision}`),
        h("p", { class: "countdown", role: "status" }),
        h("div", { class: "track", "aria-hidden": "true" }, h("div", { class: "fill" })),
      ),
      h("span", { class: "clock", "aria-hidden": "true" }),
      h(
        "button",
        {
          class: "icon-button",
          "aria-label": "Dismiss",
          onclick: () => app.update({ enforcement: null }),
        },
        icon("close"),
      ),
    ),
  ];
}

/** Draws one frame after another until the time is up. Screen readers hear the beginning and the end only. */
function tick(host: HTMLElement, enforcement: Enforcement, keep: (frame: number) => void): number {
  const strip = host.querySelector<HTMLElement>(".strip")!;
  const text = host.querySelector<HTMLElement>(".countdown")!;
  const clock = host.querySelector<HTMLElement>(".clock")!;
  const fill = host.querySelector<HTMLElement>(".fill")!;
  text.textContent = "On its way to every edge …";
  const frame = () => {
    const leftMs = enforcement.startedAtMs + enforcement.remainingMs - performance.now();
    const share = enforcement.remainingMs > 0 ? 1 - Math.max(0, leftMs) / enforcement.remainingMs : 1;
    fill.style.width = `${share * 100}%`;
    clock.textContent = leftMs > 0 ? `${(leftMs / 1000).toFixed(1)} s` : "";
    if (leftMs > 0) return keep(requestAnimationFrame(frame));
    strip.dataset["state"] = "enforced";
    text.textContent = `Enforced everywhere since ${formatTime(enforcement.enforcedBy)}: no ${enforcement.mode === "drain" ? "new conversation" : "request"} is assigned v${enforcement.from} any more.`;
  };
  return requestAnimationFrame(frame);
}
