// A gateway as the kit has to know it: where its routes begin, what it must be told, and what it cannot do.

import type { Header } from "../test/support/http-messages.ts";
import type { Route } from "./kit.ts";
import { type FamilyName, SHAPES } from "./shapes.ts";

export type Target = {
  /** For the head of a column. */
  name: string;
  url: URL;
  /** What stands before the provider's own path (`/v1/…`), by family; null: the gateway has no such route. */
  bases: Record<FamilyName, string | null>;
  /** A mount under which the gateway puts text into bodies; it stands before the base. null: none. */
  injectingMount: string | null;
  /** What the gateway must be told with each request, and with those of one family. */
  headers: Header[];
  familyHeaders: Record<FamilyName, Header[]>;
  /** Headers that mean something to the gateway alone; sent in the case that looks for them upstream. */
  ownHeaders: Header[];
  /** Cases that it cannot be configured for, and why. */
  skips: ReadonlyMap<string, string>;
};

/** The ways through the gateway; `absent` says why a shape has none. */
export type Routes = { routes: Route[]; absent: { shape: string; reason: string }[] };

export function routesOf(target: Target): Routes {
  const routes: Route[] = [];
  const absent: Routes["absent"] = [];
  for (const shape of SHAPES) {
    const base = target.bases[shape.family];
    if (base === null) {
      absent.push({ shape: shape.name, reason: `no ${shape.family} route (--${shape.family}-base none)` });
      continue;
    }
    const headers = [...target.headers, ...target.familyHeaders[shape.family]];
    routes.push({ name: shape.name, shape, base, headers, injects: false });
    if (target.injectingMount === null) continue;
    const mounted = target.injectingMount + base;
    routes.push({ name: `${shape.name}+prompt`, shape, base: mounted, headers, injects: true });
  }
  return { routes, absent };
}
