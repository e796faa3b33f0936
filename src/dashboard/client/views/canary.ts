// Gives a version a share of the traffic. The form outlives redraws: what somebody has begun to fill in is never
// reset by news from the server, only the choice of versions follows them.

import type { ReleaseView } from "../../../core/types.ts";
import type { App, View } from "../app.ts";
import { h, newId, redraw } from "../dom.ts";
import { formatArms, formatWeight } from "../format.ts";
import { candidates, canWrite, type Model } from "../model.ts";
import { send } from "./act.ts";
import { openRamp } from "./ramp.ts";
import { choiceField, reasonField, valueOf } from "./dialog.ts";

const PRESETS = [1, 5, 10, 25, 50];
const FIRST_WEIGHT = 5;

type Fields = {
  version: HTMLSelectElement;
  slider: HTMLInputElement;
  weight: HTMLInputElement;
  chips: HTMLElement;
};

export function canaryCard(app: App): View {
  const fields = createFields();
  const preview = h("p", { class: "preview", "aria-live": "polite" });
  const submit = h("button", { type: "submit", class: "primary" });
  const problems = h("div", {});
  const ramp = rampButton(app, fields);
  const form = createForm(fields, preview, problems, h("div", { class: "canary-acts" }, submit, ramp));
  const empty = h("div", {});
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "canary-title" },
    h("h2", { id: "canary-title" }, "Canary"),
    empty,
    form,
  );
  const refresh = () => drawPreview(app.model, fields, preview, submit);
  connect(fields, app, refresh);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void act(app, form, problems, fields);
  });
  return {
    element,
    draw(model) {
      const open = candidates(model).length > 0 && canWrite(model);
      form.hidden = !open;
      redraw(empty, [open, model.actor.role, model.versions.length], () => (open ? [] : [whyNot(model)]));
      const chosen = [model.prompt, model.environment, model.release?.baseline];
      const drew = redraw(fields.version, [chosen, candidates(model)], () => versionOptions(model, fields));
      if (drew) followVersion(model, fields);
      ramp.hidden = model.release?.ramp !== undefined;
      refresh();
    },
  };
}

function rampButton(app: App, fields: Fields): HTMLElement {
  const onclick = () => openRamp(app, Number(fields.version.value));
  return h("button", { type: "button", class: "quiet", onclick }, "Ramp it up …");
}

function createFields(): Fields {
  const presets = PRESETS.map((weight) =>
    h("button", { type: "button", class: "chip", "data-weight": weight }, `${weight} %`),
  );
  const bounds = { min: 0, max: 100, value: FIRST_WEIGHT };
  return {
    chips: h("div", { class: "chips", role: "group", "aria-label": "Usual weights" }, ...presets),
    version: h("select", { id: newId("version"), name: "version" }),
    slider: h("input", { type: "range", ...bounds, step: 1, "aria-label": "Weight in percent, slider" }),
    weight: h("input", {
      id: newId("weight"),
      name: "weight",
      type: "number",
      inputmode: "decimal",
      ...bounds,
      step: 0.01,
      required: true,
    }),
  };
}

function createForm(fields: Fields, ...rest: [HTMLElement, HTMLElement, HTMLElement]): HTMLFormElement {
  const [preview, problems, submit] = rest;
  return h(
    "form",
    { class: "stack" },
    h("div", { class: "field" }, h("label", { for: fields.version.id }, "Version"), fields.version),
    h(
      "div",
      { class: "field" },
      h("label", { for: fields.weight.id }, "Weight ", h("span", { class: "muted" }, "in percent")),
      h("div", { class: "weight" }, fields.slider, fields.weight),
      fields.chips,
    ),
    choiceField("transition", "Running conversations", [
      { value: "drain", label: "Keep their version", hint: "nobody is switched mid-conversation" },
      { value: "now", label: "Move at once", hint: "follow the new weights with the next turn" },
    ]),
    reasonField("A first look at real traffic"),
    preview,
    problems,
    submit,
  );
}

function connect(fields: Fields, app: App, refresh: () => void): void {
  const set = (weight: string) => {
    fields.slider.value = weight;
    fields.weight.value = weight;
    refresh();
  };
  fields.slider.addEventListener("input", () => set(fields.slider.value));
  fields.weight.addEventListener("input", () => {
    fields.slider.value = fields.weight.value;
    refresh();
  });
  fields.version.addEventListener("change", () => {
    followVersion(app.model, fields);
    refresh();
  });
  for (const chip of fields.chips.querySelectorAll<HTMLElement>("[data-weight]")) {
    chip.addEventListener("click", () => set(chip.dataset["weight"] ?? ""));
  }
}

function versionOptions(model: Model, fields: Fields): HTMLElement[] {
  const kept = fields.version.value;
  return candidates(model).map(({ version, note }) =>
    h(
      "option",
      { value: version, selected: String(version) === kept },
      note === "" ? `v${version}` : `v${version} · ${note}`,
    ),
  );
}

/** Another version was chosen: start from the weight that it has. */
function followVersion(model: Model, fields: Fields): void {
  const chosen = Number(fields.version.value);
  const present = model.release?.arms.find(({ version }) => version === chosen)?.weight;
  const weight = String(present ?? FIRST_WEIGHT);
  fields.slider.value = weight;
  fields.weight.value = weight;
}

function drawPreview(model: Model, fields: Fields, preview: HTMLElement, submit: HTMLElement): void {
  const version = Number(fields.version.value);
  const weight = fields.weight.valueAsNumber;
  const { release } = model;
  const valid = Number.isFinite(weight) && weight >= 0 && weight <= 100;
  const say = (text: string, label: string) => {
    if (preview.textContent !== text) preview.textContent = text;
    if (submit.textContent !== label) submit.textContent = label;
  };
  fields.slider.style.setProperty("--fill", `${fields.slider.value}%`);
  for (const chip of fields.chips.querySelectorAll<HTMLElement>("[data-weight]")) {
    chip.setAttribute("aria-pressed", String(Number(chip.dataset["weight"]) === weight));
  }
  if (!valid) return say("A weight is a number from 0 to 100.", "Set canary");
  const others = (release?.arms ?? []).filter((arm) => arm.arm === "canary" && arm.version !== version);
  const rest = 100 - weight - others.reduce((sum, arm) => sum + arm.weight, 0);
  const ends = release?.ramp === undefined ? "" : " and end the ramp";
  const label = `Send ${formatWeight(weight)} to v${version}${ends}`;
  if (release === null) return say("The rest stays on production’s baseline.", label);
  if (rest < 0) return say("More than 100 % with the other canaries.", label);
  say(formatArms([{ version: release.baseline, weight: rest }, ...others, { version, weight }]), label);
}

async function act(app: App, form: HTMLFormElement, problems: HTMLElement, fields: Fields): Promise<void> {
  const version = Number(fields.version.value);
  const weight = fields.weight.valueAsNumber;
  const reply = await send<ReleaseView>({
    app,
    form,
    problems,
    path: "/canary",
    checkRevision: true,
    body: {
      version,
      weight,
      environment: app.model.environment,
      reason: valueOf(form, "reason"),
      transition: valueOf(form, "transition"),
    },
  });
  if (reply === null) return;
  const reason = form.querySelector<HTMLInputElement>("[name=reason]");
  if (reason) reason.value = "";
  app.say(`v${version} is at ${formatWeight(weight)} now (revision ${reply.body.revision}).`);
  await app.reload();
}

function whyNot(model: Model): HTMLElement {
  const text = !canWrite(model)
    ? "Your token may look, but not change anything."
    : model.versions.length === 0
      ? "Push a version first."
      : "There is only the baseline. Push another version to try it on a part of the traffic.";
  return h("p", { class: "empty" }, text);
}
