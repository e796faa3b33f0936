// The release in force: a bar that is as long as the traffic, and below it a row for every arm with its counters.
// Versions that still have counters but no traffic stay visible below, in grey: one can watch them stand still.

import type { App, View } from "../app.ts";
import { h, redraw, type Child } from "../dom.ts";
import {
  ACTION_LABELS,
  ARM_LABELS,
  formatAge,
  formatCount,
  formatRate,
  formatTime,
  formatWeight,
} from "../format.ts";
import { canWrite, colorOf, type Model } from "../model.ts";
import { ratePerSecond } from "../rates.ts";
import { problemBox } from "./problem.ts";
import { openPromote } from "./promote.ts";
import { rampPanel } from "./ramp.ts";
import { enforcementStrip, rollbackPanel } from "./rollback.ts";

/** From here on errors are shown in red. */
const NOTICEABLE_ERROR_RATE = 0.05;

export function releaseCard(app: App): View {
  const strip = enforcementStrip(app);
  const panel = rollbackPanel(app);
  const ramp = rampPanel(app);
  const head = h("div", { class: "release-head" });
  const bar = h("div", { class: "bar", role: "img" });
  const rows = h("ul", { class: "arms" });
  const foot = h("div", {});
  const element = h(
    "section",
    { class: "card release", "aria-label": "Release in force" },
    h("div", { class: "release-top" }, head, panel.element),
    strip.element,
    bar,
    rows,
    ramp.element,
    foot,
  );
  return {
    element,
    draw(model) {
      panel.draw(model);
      strip.draw(model);
      ramp.draw(model);
      const { release } = model;
      redraw(head, headData(model), () => drawHead(model));
      bar.hidden = release === null;
      drawBar(bar, model);
      redraw(rows, rowData(model), () => drawRows(app, model));
      redraw(foot, [model.releaseProblem, release?.draining, release?.revoked], () => drawFoot(model));
    },
  };
}

function headData({ release, environment, loading }: Model): unknown {
  return [release?.revision, environment, loading];
}

function drawHead({ release, environment, loading }: Model): Child[] {
  if (release === null) {
    return [
      h("h2", {}, "In force"),
      h("p", { class: "muted" }, loading ? "Loading …" : `Nothing in ${environment}`),
    ];
  }
  return [
    h("h2", {}, "In force ", h("span", { class: "badge" }, `revision ${release.revision}`)),
    h(
      "p",
      { class: "muted" },
      `${ACTION_LABELS[release.action]} by `,
      h("strong", {}, release.changedBy),
      ", ",
      timeElement(release.changedAt),
      release.reason === "" ? null : h("q", {}, release.reason),
    ),
  ];
}

export function timeElement(time: string): HTMLElement {
  return h("time", { datetime: time, title: formatTime(time) }, formatAge(time, Date.now()));
}

/** Ages grow while nothing else changes, so they are written in place: what is under a finger is not replaced. */
export function refreshAges(within: HTMLElement): void {
  for (const element of within.querySelectorAll("time")) {
    const age = formatAge(element.dateTime, Date.now());
    if (element.textContent !== age) element.textContent = age;
  }
}

/** Segments are kept from one revision to the next, so that a change of weights is seen to move. */
function drawBar(bar: HTMLElement, model: Model): void {
  const arms = model.release?.arms ?? [];
  bar.setAttribute(
    "aria-label",
    arms.map(({ version, weight, arm }) => `version ${version}, ${arm}: ${formatWeight(weight)}`).join("; "),
  );
  const wanted = new Set(arms.map(({ version }) => String(version)));
  for (const segment of bar.querySelectorAll<HTMLElement>(".segment")) {
    if (!wanted.has(segment.dataset["version"] ?? "")) segment.remove();
  }
  for (const [index, { version, weight, arm }] of arms.entries()) {
    const segment = bar.querySelector<HTMLElement>(`[data-version="${version}"]`) ?? h("div", {});
    segment.className = `segment color-${colorOf(model, version)}`;
    segment.dataset["version"] = String(version);
    segment.dataset["arm"] = arm;
    segment.style.flexGrow = String(weight);
    segment.replaceChildren(
      h("span", { class: "segment-version" }, `v${version}`),
      h("span", { class: "segment-weight" }, formatWeight(weight)),
    );
    segment.dataset["size"] = weight >= 18 ? "wide" : weight >= 6 ? "narrow" : "bare";
    if (bar.children[index] !== segment) bar.insertBefore(segment, bar.children[index] ?? null);
  }
}

type Row = {
  version: number;
  weight: number | null;
  arm: "baseline" | "canary" | "off";
  note: string;
  requests: number | null;
  errors: number;
  aborted: number;
  errorRate: number | null;
  perSecond: number | null;
};

/** Every arm, then every version that has counters but no traffic. */
function armRows(model: Model): Row[] {
  const counters = new Map((model.metrics?.versions ?? []).map((row) => [row.version, row]));
  const arms = model.release?.arms ?? [];
  const off = [...counters.keys()].filter((version) => arms.every((arm) => arm.version !== version));
  const notes = new Map(model.versions.map(({ version, note }) => [version, note]));
  const count = (version: number) => {
    const row = counters.get(version);
    return {
      version,
      note: notes.get(version) ?? "",
      requests: row?.requests ?? (model.metrics === null ? null : 0),
      errors: row?.errors ?? 0,
      aborted: row?.aborted ?? 0,
      errorRate: row?.errorRate ?? null,
      perSecond: ratePerSecond(model.samples, version),
    };
  };
  return [
    ...arms.map(({ version, weight, arm }) => ({ ...count(version), weight, arm })),
    ...off.map((version) => ({ ...count(version), weight: null, arm: "off" as const })),
  ];
}

function rowData(model: Model): unknown {
  return [armRows(model), model.actor.role, model.prompt, model.environment];
}

function drawRows(app: App, model: Model): Child[] {
  return armRows(model).map((row) =>
    h(
      "li",
      { class: "arm", "data-version": row.version, "data-arm": row.arm },
      h("span", { class: `dot color-${colorOf(model, row.version) ?? "off"}`, "aria-hidden": "true" }),
      h(
        "div",
        { class: "arm-name" },
        h("strong", {}, `v${row.version}`),
        " ",
        h("span", { class: `badge arm-${row.arm}` }, row.arm === "off" ? "No traffic" : ARM_LABELS[row.arm]),
        row.note === "" ? null : h("p", { class: "muted clip" }, row.note),
      ),
      h("div", { class: "arm-weight" }, row.weight === null ? "–" : formatWeight(row.weight)),
      figures(row),
      h("div", { class: "arm-acts" }, row.arm === "canary" && promoteButton(app, model, row.version)),
    ),
  );
}

function figures(row: Row): HTMLElement {
  const tone = (row.errorRate ?? 0) >= NOTICEABLE_ERROR_RATE ? "bad" : "";
  return h(
    "dl",
    { class: "figures" },
    figure("Requests", row.requests === null ? "–" : formatCount(row.requests)),
    figure("Now", row.perSecond === null ? "–" : `${row.perSecond.toFixed(1)}/s`),
    figure("Errors", formatCount(row.errors), tone),
    figure("Error rate", formatRate(row.errorRate), tone),
    figure("Aborted", formatCount(row.aborted)),
  );
}

function figure(label: string, value: string, tone = ""): HTMLElement {
  return h("div", { class: `figure ${tone}` }, h("dt", {}, label), h("dd", {}, value));
}

function promoteButton(app: App, model: Model, version: number): HTMLElement {
  return h(
    "button",
    {
      class: "quiet",
      disabled: !canWrite(model),
      "data-focus": `promote-${version}`,
      "aria-label": `Promote version ${version}`,
      onclick: () => openPromote(app, version),
    },
    "Promote",
  );
}

function drawFoot({ release, releaseProblem, environment }: Model): Child[] {
  if (releaseProblem?.code === "environment_not_found") {
    return [
      h(
        "p",
        { class: "empty" },
        h("strong", {}, `${environment} has no release yet.`),
        " The first canary or promote here starts from production’s baseline.",
      ),
    ];
  }
  if (releaseProblem?.code === "version_not_found") return [noVersionYet()];
  if (releaseProblem !== null) return [problemBox(releaseProblem)];
  const draining = release?.draining ?? [];
  if (draining.length === 0) return [];
  const list = draining.map(({ version, until }) => `v${version} until ${formatTime(until)} at the latest`);
  return [h("p", { class: "muted" }, `Conversations that began before a change stay on ${list.join(", ")}.`)];
}

function noVersionYet(): HTMLElement {
  return h(
    "p",
    { class: "empty" },
    h("strong", {}, "This prompt has no version yet."),
    " Push the first one; it becomes the baseline: ",
    h("code", {}, "npx switchback push FILE"),
  );
}
