// Compares two versions. The newest against the baseline is what one wants to see first.

import { failed } from "../api.ts";
import type { App, View } from "../app.ts";
import { h, newId, redraw, type Child } from "../dom.ts";
import { promptPath, type Model } from "../model.ts";
import { problemBox } from "./problem.ts";

type Diff = { from: number; to: number; unified: string };

export function diffCard(app: App): View {
  const from = h("select", { id: newId("from") });
  const to = h("select", { id: newId("to") });
  const result = h("div", { class: "diff-result", "aria-live": "polite" });
  const controls = h(
    "div",
    { class: "diff-controls" },
    h("label", { for: from.id }, "From"),
    from,
    h("label", { for: to.id }, "to"),
    to,
  );
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "diff-title" },
    h("h2", { id: "diff-title" }, "Compare"),
    controls,
    result,
  );
  const show = () => void showDiff(app, Number(from.value), Number(to.value), result);
  from.addEventListener("change", show);
  to.addEventListener("change", show);
  return {
    element,
    draw(model) {
      const numbers = model.versions.map(({ version }) => version).toSorted((a, b) => b - a);
      controls.hidden = numbers.length < 2;
      const first = firstPair(model, numbers);
      const data = [model.prompt, numbers];
      const drew = redraw(from, data, () => options(numbers, first.from));
      redraw(to, data, () => options(numbers, first.to));
      if (!drew) return;
      if (numbers.length >= 2) show();
      else result.replaceChildren(h("p", { class: "empty" }, "There is nothing to compare yet."));
    },
  };
}

/** Baseline → newest; when the newest is the baseline, the one before it → baseline. */
function firstPair(model: Model, numbers: number[]): { from: number; to: number } {
  const newest = numbers[0] ?? 0;
  const baseline = model.release?.baseline ?? numbers[1] ?? newest;
  return baseline === newest ? { from: numbers[1] ?? newest, to: newest } : { from: baseline, to: newest };
}

function options(numbers: number[], selected: number): HTMLElement[] {
  return numbers.map((version) =>
    h("option", { value: version, selected: version === selected }, `v${version}`),
  );
}

async function showDiff(app: App, from: number, to: number, result: HTMLElement): Promise<void> {
  const wanted = `${app.model.prompt} ${from} ${to}`;
  result.dataset["wanted"] = wanted;
  const path = promptPath(app.model.prompt ?? "", `/diff?from=${from}&to=${to}`);
  const reply = await app.api.read<Diff>(path);
  if (result.dataset["wanted"] !== wanted) return;
  if (failed(reply)) return result.replaceChildren(problemBox(reply.problem));
  const lines = diffLines(reply.body.unified);
  if (lines.length === 0) return result.replaceChildren(h("p", { class: "empty" }, "They are the same."));
  result.replaceChildren(
    h(
      "pre",
      { class: "diff", tabindex: 0, "aria-label": `Difference from version ${from} to ${to}` },
      ...lines,
    ),
  );
}

/** A unified diff without its file header, every line marked by what it is. */
function diffLines(unified: string): Child[] {
  const lines = unified.replace(/\n$/, "").split("\n");
  const body = lines.slice(lines.findIndex((line) => line.startsWith("@@")));
  if (!body[0]?.startsWith("@@")) return [];
  return body.map((line, index) => {
    if (line.startsWith("@@")) return index === 0 ? null : h("span", { class: "gap" }, "⋯");
    const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
    return h("span", { class: kind }, line === "" ? " " : line);
  });
}
