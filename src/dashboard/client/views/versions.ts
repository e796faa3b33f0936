// The versions, newest first: number, note, age, author, digest, and on demand the content. Content is read when it is
// opened and kept: a version never changes.

import type { VersionView } from "../../../core/ports.ts";
import type { VersionSummary } from "../../../core/types.ts";
import { failed } from "../api.ts";
import type { App, View } from "../app.ts";
import { h, icon, redraw, type Child } from "../dom.ts";
import { shortDigest } from "../format.ts";
import { canWrite, colorOf, promptPath, type Model } from "../model.ts";
import { contentView } from "./content.ts";
import { problemBox } from "./problem.ts";
import { openPromote } from "./promote.ts";
import { timeElement } from "./release.ts";

export function versionsCard(app: App): View {
  const list = h("ol", { class: "versions" });
  const opened = new Set<string>();
  const contents = new Map<string, VersionView>();
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "versions-title" },
    h("h2", { id: "versions-title" }, "Versions"),
    list,
  );
  return {
    element,
    draw(model) {
      const newestFirst = model.versions.toSorted((a, b) => b.version - a.version);
      const { prompt, environment, release, actor } = model;
      const shown = [prompt, environment, newestFirst, release?.arms, actor.role, model.releaseProblem];
      redraw(list, shown, () =>
        newestFirst.length === 0
          ? [h("li", { class: "empty" }, model.loading ? "Loading …" : "No version yet.")]
          : newestFirst.map((version) => drawVersion(app, model, version, opened, contents)),
      );
    },
  };
}

function drawVersion(
  app: App,
  model: Model,
  summary: VersionSummary,
  opened: Set<string>,
  contents: Map<string, VersionView>,
): HTMLElement {
  const { version, note } = summary;
  const key = `${model.prompt} ${version}`;
  const inside = h("div", { class: "version-content" });
  const details = h(
    "details",
    { open: opened.has(key), "data-version": version },
    h(
      "summary",
      { "data-focus": `version-${version}` },
      h("span", { class: `dot color-${colorOf(model, version) ?? "off"}`, "aria-hidden": "true" }),
      h(
        "span",
        { class: "version-line" },
        h("strong", {}, `v${version}`),
        " ",
        ...badges(model, summary),
        h("span", { class: "version-note" }, note === "" ? "No note" : note),
        ...facts(summary),
      ),
      icon("chevron"),
    ),
    inside,
  );
  const show = () => void showContent(app, key, version, inside, contents);
  details.addEventListener("toggle", () => {
    if (details.open) opened.add(key);
    else opened.delete(key);
    if (details.open) show();
  });
  return h("li", {}, details, promotable(model, summary) && promoteButton(app, model, version));
}

function badges(model: Model, { version, revoked }: VersionSummary): Child[] {
  const arm = model.release?.arms.find((candidate) => candidate.version === version);
  return [
    arm && h("span", { class: `badge arm-${arm.arm}` }, arm.arm === "baseline" ? "Baseline" : "Canary"),
    revoked && h("span", { class: "badge bad", title: revoked.reason }, "Revoked"),
  ];
}

function facts({ createdAt, createdBy, digest }: VersionSummary): Child[] {
  return [
    h(
      "span",
      { class: "version-facts muted" },
      timeElement(createdAt),
      ` by ${createdBy} · `,
      h("code", { title: `SHA-256 ${digest}` }, shortDigest(digest)),
    ),
  ];
}

function promotable(model: Model, { version, revoked }: VersionSummary): boolean {
  const first = model.releaseProblem?.code === "environment_not_found";
  return (model.release !== null || first) && version !== model.release?.baseline && revoked === null;
}

function promoteButton(app: App, model: Model, version: number): HTMLElement {
  return h(
    "button",
    {
      class: "quiet small",
      disabled: !canWrite(model),
      "data-focus": `promote-version-${version}`,
      "aria-label": `Promote version ${version} to baseline`,
      onclick: () => openPromote(app, version),
    },
    "Promote",
  );
}

async function showContent(
  app: App,
  key: string,
  version: number,
  inside: HTMLElement,
  contents: Map<string, VersionView>,
): Promise<void> {
  const kept = contents.get(key);
  if (kept) return inside.replaceChildren(contentView(kept));
  inside.replaceChildren(h("p", { class: "muted" }, "Loading …"));
  const path = promptPath(app.model.prompt ?? "", `/versions/${version}`);
  const reply = await app.api.read<VersionView>(path);
  if (failed(reply)) return inside.replaceChildren(problemBox(reply.problem));
  contents.set(key, reply.body);
  inside.replaceChildren(contentView(reply.body));
}
