// A ramp that is on, below its release: the whole plan, the step that it is at, what it waits for in the server's own
// words, and the three things that a person can do about it. And the dialog that starts one.

import { describeMs } from "../../../core/ramp-words.ts";
import { isHeldBack, weightAt } from "../../../core/ramp-plan.ts";
import { RAMP_DEFAULTS, type RampView } from "../../../core/ramps.ts";
import type { ReleaseView } from "../../../core/types.ts";
import type { App, View } from "../app.ts";
import { h, newId, redraw, type Attributes, type Child } from "../dom.ts";
import { formatAge, formatTime, formatWeight } from "../format.ts";
import { canWrite, type Model } from "../model.ts";
import { send } from "./act.ts";
import { openDialog, reasonField, valueOf } from "./dialog.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export function rampPanel(app: App): View {
  // Apart, since what is to go counts down all the time, and a button that is pressed must not be replaced under it.
  const head = h("div", { class: "ramp-head" });
  const plan = h("ol", { class: "steps", "aria-label": "Steps" });
  const news = h("div", {});
  const element = h("section", { class: "ramp", "aria-label": "Ramp", hidden: true }, head, plan, news);
  return {
    element,
    draw(model) {
      const ramp = model.release?.ramp;
      element.hidden = ramp === undefined;
      if (ramp === undefined) return;
      element.dataset["state"] = toneOf(ramp);
      const turned = [
        ramp.version,
        ramp.state,
        stateOf(ramp),
        model.actor.role,
        model.prompt,
        model.environment,
      ];
      redraw(head, turned, () => drawHead(app, model, ramp));
      redraw(plan, listStages(ramp), () => listStages(ramp).map(drawStage));
      redraw(news, [ramp.says, describeTimes(ramp)], () => drawNews(ramp));
    },
  };
}

function drawHead(app: App, model: Model, ramp: RampView): Child[] {
  return [
    h("h3", {}, `Ramp of v${ramp.version} `, h("span", { class: "badge" }, stateOf(ramp))),
    h("div", { class: "ramp-acts" }, ...turnButtons(app, model, ramp)),
  ];
}

function drawNews(ramp: RampView): Child[] {
  return [
    h("p", { class: "ramp-says" }, sentence(ramp.says)),
    h("p", { class: "muted" }, describeTimes(ramp)),
  ];
}

type Stage = { text: string; place: "done" | "current" | "to come" };

/** The last two where something is held back: the new version's share meanwhile, and the promotion. */
function listStages(ramp: RampView): Stage[] {
  const texts = ramp.steps.map((_, step) => formatWeight(weightAt(ramp, step)));
  if (isHeldBack(ramp)) texts.push(formatWeight(100));
  return texts.map((text, step) => {
    const holds = isHeldBack(ramp) && step === ramp.steps.length - 1;
    const place = step < ramp.step ? "done" : step === ramp.step ? "current" : "to come";
    return { text: holds ? `${text} for ${describeMs(ramp.holdbackMs)}` : text, place };
  });
}

function drawStage({ text, place }: Stage): HTMLElement {
  const current: Attributes = place === "current" ? { "aria-current": "step" } : {};
  const spoken = place === "done" ? h("span", { class: "spoken" }, " done") : null;
  return h("li", { "data-place": place, ...current }, text, spoken);
}

function stateOf({ state, isFrozen, asks }: RampView): string {
  if (asks) return "needs somebody";
  if (isFrozen) return "frozen";
  return state === "holdback" ? "held back" : state;
}

function toneOf({ state, isFrozen, asks }: RampView): string {
  if (asks) return "asks";
  return isFrozen || state === "paused" ? "waiting" : "running";
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function describeTimes({ stepSince, notBefore, startedAt, startedBy }: RampView): string {
  const nowMs = Date.now();
  const isToCome = notBefore !== null && Date.parse(notBefore) > nowMs;
  const next = isToCome ? `, the next one not before ${formatTime(notBefore)}` : "";
  return `This step began ${formatAge(stepSince, nowMs)}${next}. Started by ${startedBy}, ${formatAge(startedAt, nowMs)}.`;
}

type Turn = { path: "pause" | "resume" | "stop"; label: string; title: string; lead: string; said: string };

const PAUSE: Turn = {
  path: "pause",
  label: "Pause",
  title: "Pause the ramp?",
  lead: "The weights stay as they are until somebody resumes it.",
  said: "The ramp is paused",
};
const RESUME: Turn = {
  path: "resume",
  label: "Resume",
  title: "Resume the ramp?",
  lead: "It goes on from where it is; the time of this step begins anew.",
  said: "The ramp goes on",
};
const STOP: Turn = {
  path: "stop",
  label: "Stop",
  title: "Stop the ramp?",
  lead: "Ends the plan and leaves the weights as they are. To take the version off as well, roll back instead.",
  said: "The ramp is stopped",
};

function turnButtons(app: App, model: Model, { state }: RampView): HTMLElement[] {
  return [state === "paused" ? RESUME : PAUSE, STOP].map((turn) =>
    h(
      "button",
      {
        class: "quiet small",
        disabled: !canWrite(model),
        "data-focus": `ramp-${turn === STOP ? "stop" : "turn"}`,
        "aria-label": `${turn.label} the ramp`,
        onclick: () => openTurn(app, turn),
      },
      turn.label,
    ),
  );
}

function openTurn(app: App, turn: Turn): void {
  const { environment } = app.model;
  openDialog({
    title: turn.title,
    tone: "primary",
    confirm: `${turn.label} the ramp`,
    lead: [h("p", {}, turn.lead)],
    fields: [reasonField("Looking at the answers first")],
    submit: async (form, problems) => {
      const body = { environment, reason: valueOf(form, "reason") };
      const path = `/ramp/${turn.path}`;
      const reply = await send<ReleaseView>({ app, form, problems, path, body, checkRevision: false });
      if (reply === null) return false;
      app.say(`${turn.said} (revision ${reply.body.revision}).`);
      await app.reload();
      return true;
    },
  });
}

/** A release without a ramp, a version that is not its baseline. */
export function openRamp(app: App, version: number): void {
  const { prompt, environment, release } = app.model;
  const present = release?.arms.find((arm) => arm.version === version)?.weight ?? 0;
  openDialog({
    title: `Ramp v${version} up?`,
    tone: "primary",
    confirm: `Start the ramp of v${version}`,
    lead: [
      h(
        "p",
        {},
        `v${version} of ${prompt} in `,
        h("strong", {}, environment),
        " gets more of the traffic step by step, each one only when its time is over and the version is proven not to be much worse.",
      ),
      present > 0 && h("p", { class: "muted" }, `It has ${formatWeight(present)} already and begins there.`),
    ],
    fields: [
      field("steps", "Steps", "percents; the last one is 100", {
        type: "text",
        value: RAMP_DEFAULTS.steps.join(", "),
      }),
      field("bake", "At each step for at least", "minutes", amount(RAMP_DEFAULTS.bakeMs / MINUTE_MS)),
      field("holdback", "The old version then keeps", "percent, to compare with; 0: nothing", {
        ...amount(RAMP_DEFAULTS.holdback),
        max: 100,
        step: 0.01,
      }),
      field("holdbackTime", "It keeps that for", "hours", amount(RAMP_DEFAULTS.holdbackMs / HOUR_MS)),
      reasonField("A week of evaluations without a difference"),
    ],
    submit: async (form, problems) => {
      const body = { version, ...readPlan(form), environment, reason: valueOf(form, "reason") };
      const reply = await send<ReleaseView>({
        app,
        form,
        problems,
        path: "/ramp",
        body,
        checkRevision: true,
      });
      if (reply === null) return false;
      const weight = formatWeight(reply.body.ramp?.weight ?? 0);
      app.say(`The ramp of v${version} begins at ${weight} (revision ${reply.body.revision}).`);
      await app.reload();
      return true;
    },
  });
}

function amount(value: number): Attributes {
  return { type: "number", inputmode: "decimal", min: 0, step: "any", required: true, value };
}

function field(name: string, label: string, hint: string, attributes: Attributes): HTMLElement {
  const id = newId(name);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, `${label} `, h("span", { class: "muted" }, hint)),
    h("input", { id, name, autocomplete: "off", ...attributes }),
  );
}

/** What is no number is left to the server to refuse, which names the field. */
function readPlan(form: HTMLFormElement): object {
  const words = valueOf(form, "steps")
    .split(/[\s,%]+/)
    .filter(Boolean);
  const number = (name: string) => Number(valueOf(form, name));
  return {
    steps: words.map((word) => (Number.isNaN(Number(word)) ? word : Number(word))),
    bakeMs: Math.round(number("bake") * MINUTE_MS),
    holdback: number("holdback"),
    holdbackMs: Math.round(number("holdbackTime") * HOUR_MS),
  };
}
