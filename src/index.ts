// The Worker's entry: which plane a request belongs to, and nothing else.

import { createAdmin } from "./admin/server.ts";
import { respondDashboard } from "./dashboard/page.ts";
import { serveData } from "./edge/edge.ts";
import type { Ctx } from "./edge/releases.ts";
import type { Env } from "./env.ts";

export { Control } from "./control/object.ts";
export { Registry } from "./control/registry.ts";

const admin = createAdmin();
const ADMIN_PATH = /^\/(?:admin(?:\/|$)|openapi\.json$|docs$)/;

export default {
  async fetch(request: Request, env: Env, ctx: Ctx): Promise<Response> {
    const path = new URL(request.url).pathname;
    if (ADMIN_PATH.test(path)) return admin.fetch(request, env, ctx);
    if (path === "/dashboard") return respondDashboard();
    if (path === "/") return new Response(null, { status: 302, headers: { location: "/dashboard" } });
    if (path === "/healthz") return new Response("ok\n");
    return serveGuarded(request, env, ctx);
  },
};

/** A bug of ours must not leak details, nor turn into an un-prompted call. */
async function serveGuarded(request: Request, env: Env, ctx: Ctx): Promise<Response> {
  try {
    return await serveData(request, env, ctx);
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    console.error(JSON.stringify({ event: "proxy_failed", error: name }));
    const body = {
      error: { message: "The proxy failed.", type: "server_error", param: null, code: "internal" },
    };
    return Response.json(body, { status: 500, headers: { "prompt-error": "internal" } });
  }
}
