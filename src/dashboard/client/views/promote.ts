// Promote: makes a version the baseline. Asked for from an arm or from the list of versions.

import type { ReleaseView } from "../../../core/types.ts";
import type { App } from "../app.ts";
import { h } from "../dom.ts";
import { send } from "./act.ts";
import { openDialog, reasonField, valueOf } from "./dialog.ts";

export function openPromote(app: App, version: number): void {
  const { prompt, environment, release } = app.model;
  const before = release === null ? null : release.baseline;
  openDialog({
    title: `Make v${version} the baseline?`,
    tone: "primary",
    confirm: `Promote v${version}`,
    lead: [
      h("p", {}, `All traffic of ${prompt} in `, h("strong", {}, environment), ` goes to v${version}.`),
      before !== null &&
        before !== version &&
        h("p", { class: "muted" }, `v${before} stays known-good: a rollback returns to it.`),
    ],
    fields: [reasonField("Two days at 25 % without a complaint")],
    submit: async (form, problems) => {
      const body = { version, environment, reason: valueOf(form, "reason") };
      const act = { app, form, problems, path: "/promote", body, checkRevision: true };
      const reply = await send<ReleaseView>(act);
      if (reply === null) return false;
      app.say(`v${version} is the baseline now (revision ${reply.body.revision}).`);
      await app.reload();
      return true;
    },
  });
}
