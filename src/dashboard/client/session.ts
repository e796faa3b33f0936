// The admin token in this tab: taken once from `#token=…` (the link that `npm start` prints) or from the sign-in form,
// kept in sessionStorage only. Guarantee: it leaves the address bar and the history entry before anything is loaded.

const KEY = "switchback-token";

/** The token of this tab, null when somebody has to sign in. */
export function takeToken(): string | null {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (match?.[1]) {
    history.replaceState(null, "", location.pathname + location.search);
    sessionStorage.setItem(KEY, decodeToken(match[1]));
  }
  return sessionStorage.getItem(KEY);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

function decodeToken(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
