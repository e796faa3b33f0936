// Who is calling, and may they. Guarantees: no ADMIN_TOKEN, no control plane; a token is compared only through SHA-256
// digests and in constant time; no token ever stands in a log, an error or an answer but the one that mints it.
// Nothing is cached: a revoked token is refused from the next request on.

import { ADMIN_ACTOR, actorOfToken } from "../core/actors.ts";
import { problem, type Problem } from "../core/problem.ts";
import type { Actor, Role } from "../core/types.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import { hashText } from "./preconditions.ts";
import { callStub } from "./stubs.ts";

const ROLES: readonly Role[] = ["viewer", "releaser", "admin"];

const MINTED = /^sbt_[A-Za-z0-9_-]{43}$/;

/** The actor behind the request's bearer token: `forbidden` while the control plane is closed, else `unauthenticated`. */
export async function authenticate(request: Request, env: Env): Promise<Actor | Problem> {
  if (!env.ADMIN_TOKEN) {
    return problem(
      "forbidden",
      "The control plane is closed, because no ADMIN_TOKEN is set. To open it: npx wrangler secret put ADMIN_TOKEN (locally: a line ADMIN_TOKEN=… in .dev.vars).",
    );
  }
  const token = /^Bearer +([^\s]+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) {
    return problem("unauthenticated", "Send a token of the control plane: Authorization: Bearer <token>.", {
      field: "Authorization",
    });
  }
  if (await isSame(token, env.ADMIN_TOKEN)) return ADMIN_ACTOR;
  const minted = MINTED.test(token) ? await findMinted(token, env) : null;
  if (minted !== null) return minted;
  return problem("unauthenticated", "This token is unknown, has expired or was revoked.", {
    field: "Authorization",
  });
}

async function findMinted(token: string, env: Env): Promise<Actor | null | Problem> {
  const hash = await hashText(token);
  const found = await callStub(
    () => env.REGISTRY.getByName(REGISTRY_NAME),
    (registry) => registry.authenticate(hash),
  );
  if (found === null || "problem" in found) return found;
  return actorOfToken(found);
}

/** null where the role suffices. */
export function checkRole(actor: Actor, needed: Role): Problem | null {
  if (ROLES.indexOf(actor.role) >= ROLES.indexOf(needed)) return null;
  return problem("forbidden", `This call needs the role ${needed}; this token has the role ${actor.role}.`);
}

/** A challenge for 401 (RFC 6750 §3). */
export function challenge(request: Request): string {
  const realm = 'Bearer realm="switchback"';
  return request.headers.has("authorization") ? `${realm}, error="invalid_token"` : realm;
}

/** A new token or key (256 random bits behind a prefix) and the hash that is stored of it. */
export async function createSecret(prefix: "sbt_" | "sb_"): Promise<{ secret: string; hash: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const base64 = btoa(String.fromCharCode(...bytes));
  const secret = prefix + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return { secret, hash: await hashText(secret) };
}

/** Digests have one length whatever was sent, so that neither content nor length shows in the time taken. */
async function isSame(left: string, right: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [leftDigest, rightDigest] = await Promise.all([
    crypto.subtle.digest("SHA-256", encoder.encode(left)),
    crypto.subtle.digest("SHA-256", encoder.encode(right)),
  ]);
  return crypto.subtle.timingSafeEqual(leftDigest, rightDigest);
}
