// One request on its way through the data plane: what the first stages have found out about it, for the later ones.

import type { Family } from "../wire/wire.ts";
import type { Admission } from "./admit.ts";
import type { HeaderValues } from "./headers.ts";
import type { Scope } from "./releases.ts";
import type { Account } from "./respond.ts";
import type { Route } from "./route.ts";

export type Call = {
  request: Request;
  headers: HeaderValues;
  scope: Scope;
  route: Route;
  family: Family;
  account: Account;
  /** The provider's origin, with its path prefix. */
  origin: string;
  /** The key of ours that it came with; null: none, so the client's own credential passes. */
  admission: Admission | null;
};
