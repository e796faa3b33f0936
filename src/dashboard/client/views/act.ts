// One way for every change that the page makes: send with If-Match and a key, show a refusal where it was asked for,
// and when somebody else was faster say so and load what is there now.

import { failed, newIdempotencyKey, type ApiProblem, type Reply } from "../api.ts";
import type { App } from "../app.ts";
import { promptPath } from "../model.ts";
import { markFields, problemBox } from "./problem.ts";

export type Act = {
  app: App;
  form: HTMLFormElement;
  /** Where a refusal is shown. */
  problems: HTMLElement;
  /** Below the prompt: `/canary`. */
  path: string;
  body: object;
  /** Compare with the revision on the page. A rollback does not: it must work while others are changing things. */
  checkRevision: boolean;
};

/** Identical attempts share a key until one is answered: what the network swallowed is not done twice. */
const openKeys = new Map<string, string>();

/** Sends it with the form locked. null: refused, and the refusal is on the page. */
export async function send<Body>(act: Act): Promise<Extract<Reply<Body>, { body: Body }> | null> {
  const { app, form, problems } = act;
  const { prompt, release } = app.model;
  if (prompt === null) return null;
  const ifMatch = act.checkRevision ? (release?.revision ?? null) : null;
  const path = promptPath(prompt, act.path);
  const print = JSON.stringify([path, act.body, ifMatch]);
  const idempotencyKey = openKeys.get(print) ?? newIdempotencyKey();
  openKeys.set(print, idempotencyKey);
  problems.replaceChildren();
  lock(form, true);
  const reply = await app.api.write<Body>(path, { body: act.body, ifMatch, idempotencyKey });
  lock(form, false);
  if (!failed(reply) || reply.problem.status !== 0) openKeys.delete(print);
  if (!failed(reply)) return reply;
  problems.append(problemBox(explainConflict(reply.problem)));
  markFields(form, reply.problem);
  if (reply.problem.code === "revision_conflict") await app.reload();
  return null;
}

/** If-Match is this page's business; people want to know what has happened. */
function explainConflict(problem: ApiProblem): ApiProblem {
  if (problem.code !== "revision_conflict") return problem;
  return {
    status: problem.status,
    code: problem.code,
    title: "Somebody else has changed this release",
    detail: `It is at revision ${problem.current ?? "?"} now, and the page shows that. Look at it, then try again.`,
  };
}

function lock(form: HTMLFormElement, locked: boolean): void {
  form.toggleAttribute("aria-busy", locked);
  for (const button of form.querySelectorAll<HTMLButtonElement>("button[type=submit]")) {
    button.disabled = locked;
  }
}
