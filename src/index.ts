// The Worker's entry: which plane a request belongs to, and nothing else.

import { createAdmin } from "./admin/server.ts";
import { respondDashboard } from "./dashboard/page.ts";
import { readCaller } from "./edge/caller.ts";
import { serveData } from "./edge/edge.ts";
import { expireLeases } from "./edge/entries.ts";
import type { Ctx } from "./edge/releases.ts";
import type { Env } from "./env.ts";

export { Control } from "./control/object.ts";
export { Registry } from "./control/registry.ts";

const admin = createAdmin();
/** With or without a slash behind it: no provider is called by these names alone. */
const ADMIN_PATH = /^\/(?:admin(?:\/|$)|(?:openapi\.json|docs|metrics)\/?$)/;
const OWN_PATH = /^\/(feedback|dashboard|healthz)\/?$/;

export default {
  async fetch(request: Request, env: Env, ctx: Ctx): Promise<Response> {
    const { url } = request;
    // Most requests are prompted ones, and they do not need a parsed URL (a URL object costs more than routing does).
    if (url.startsWith("/p/", url.indexOf("/", url.indexOf("://") + 3))) return serveData(request, env, ctx);
    const path = new URL(url).pathname;
    if (ADMIN_PATH.test(path)) return serveAdmin(request, env, path);
    if (path === "/") return new Response(null, { status: 302, headers: { location: "/dashboard" } });
    const [, own] = OWN_PATH.exec(path) ?? [];
    if (own === "feedback") return serveFeedback(request, env, ctx);
    if (own === "dashboard") return respondDashboard();
    if (own === "healthz") return new Response("ok\n");
    return serveData(request, env, ctx);
  },
};

/** The isolate that takes a command knows of it at once; the others by their next sync. What was refused has changed
 * nothing, and must not let somebody without a token take leases away. */
async function serveAdmin(request: Request, env: Env, path: string): Promise<Response> {
  const answer = await admin.fetch(request, { env, key: null });
  const [, , , prompt] = path.split("/");
  if (request.method !== "GET" && answer.status < 400 && prompt !== undefined) expireLeases(prompt);
  return answer;
}

async function serveFeedback(request: Request, env: Env, ctx: Ctx): Promise<Response> {
  return admin.fetch(request, { env, key: await readCaller(request, { env, ctx }) });
}
