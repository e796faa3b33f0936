// Asks for the admin token, once per tab, and tells a wrong one from a server that does not answer.

import type { Actor } from "../../../core/types.ts";
import { createApi, failed, type Api } from "../api.ts";
import { h } from "../dom.ts";
import { brand } from "./brand.ts";
import { problemBox } from "./problem.ts";

export type SignedIn = { token: string; api: Api; actor: Actor };

export function loginView(message: string | undefined, done: (signedIn: SignedIn) => void): HTMLElement {
  const problems = h("div", {}, message ? h("p", { class: "warning", role: "alert" }, message) : null);
  const input = h("input", {
    id: "token",
    name: "token",
    type: "password",
    required: true,
    autocomplete: "current-password",
    spellcheck: "false",
    "aria-describedby": "token-hint",
  });
  const submit = h("button", { type: "submit", class: "primary" }, "Sign in");
  const form = h(
    "form",
    { class: "stack" },
    h("div", { class: "field" }, h("label", { for: "token" }, "Admin token"), input),
    problems,
    submit,
    h(
      "p",
      { class: "muted", id: "token-hint" },
      h("code", {}, "npm start"),
      " prints a link that signs you in. The token stays in this tab.",
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(input, submit, problems, done);
  });
  return h(
    "main",
    { class: "login" },
    brand(),
    h("section", { class: "card" }, h("h1", {}, "Sign in"), form),
  );
}

async function attempt(
  input: HTMLInputElement,
  submit: HTMLButtonElement,
  problems: HTMLElement,
  done: (signedIn: SignedIn) => void,
): Promise<void> {
  submit.disabled = true;
  const result = await signIn(input.value.trim());
  submit.disabled = false;
  if (!(result instanceof HTMLElement)) return done(result);
  problems.replaceChildren(result);
  input.setAttribute("aria-invalid", "true");
  input.select();
}

/** The actor behind a token, or the box that says why not. */
export async function signIn(token: string): Promise<SignedIn | HTMLElement> {
  if (!/^[\x21-\x7e]+$/.test(token))
    return h("p", { class: "warning", role: "alert" }, "A token is one word of ASCII characters.");
  const api = createApi(token);
  const reply = await api.read<Actor>("/admin/whoami");
  return failed(reply) ? problemBox(reply.problem) : { token, api, actor: reply.body };
}
