// The door to the control plane. Behind it everything loads with the first request that asks for it: schemas, routes
// and documents cost 11 ms of CPU (Node 24, 2 shared cores), which an isolate that only proxies need not pay.

import type { Lent } from "./feedback-access.ts";

export type Admin = { fetch(request: Request, lent: Lent): Promise<Response> };

type App = { fetch(request: Request, lent: Lent): Response | Promise<Response> };

/** Serves `/admin/…`, `/feedback`, `/metrics`, `/openapi.json` and `/docs`. */
export function createAdmin(): Admin {
  let app: App | null = null;
  return {
    async fetch(request, lent) {
      // The app itself is kept, not its promise: a promise belongs to the request that made it.
      app ??= (await import("./app.ts")).createApp();
      return app.fetch(request, lent);
    },
  };
}
