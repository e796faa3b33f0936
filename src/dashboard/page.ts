// The dashboard as a response: one static page that holds no data and no secret; everything it shows it reads from the
// admin API with the token of whoever looks. Guarantee: the policy lets only the page's own script and style run, and
// the page talk only to its own origin, so that no text of a prompt can act in the name of its reader.

import { DASHBOARD_HTML, SCRIPT_HASH, STYLE_HASH } from "./built.ts";

const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": POLICY,
  "cache-control": "no-cache",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** GET /dashboard. */
export function respondDashboard(): Response {
  return new Response(DASHBOARD_HTML, { headers: HEADERS });
}
