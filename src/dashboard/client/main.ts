// Entry of the page: a token → the shell, none or a wrong one → the sign-in form.

import { App } from "./app.ts";
import { h } from "./dom.ts";
import { forgetToken, keepToken, takeToken } from "./session.ts";
import { loginView, signIn, type SignedIn } from "./views/login.ts";
import { shellView } from "./views/shell.ts";

const root = document.getElementById("app")!;
const STATUS_MS = 8_000;

function showLogin(message?: string): void {
  forgetToken();
  document.title = "Sign in · Switchback";
  root.replaceChildren(loginView(message, showShell));
  document.getElementById("token")?.focus();
}

function showShell({ token, api, actor }: SignedIn): void {
  keepToken(token);
  const status = h("div", { class: "status", role: "status" });
  let clearing = 0;
  const app = new App({
    api,
    actor,
    signOut: (message) => {
      app.stop();
      showLogin(message);
    },
    say: (text) => {
      clearTimeout(clearing);
      status.replaceChildren(...(text === "" ? [] : [h("p", {}, text)]));
      clearing = setTimeout(() => status.replaceChildren(), STATUS_MS);
    },
  });
  const view = shellView(app, status);
  root.replaceChildren(view.element);
  app.start(view);
}

async function begin(): Promise<void> {
  const token = takeToken();
  if (token === null) return showLogin();
  const result = await signIn(token);
  if (!(result instanceof HTMLElement)) return showShell(result);
  showLogin();
  root.querySelector("form > div:nth-of-type(2)")?.replaceChildren(result);
}

// Pasting another `#token=…` link into this tab signs in with it.
addEventListener("hashchange", () => location.hash.startsWith("#token=") && location.reload());

await begin();
