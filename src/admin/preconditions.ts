// The request headers that make a write safe to send: If-Match (nobody changed the release in between) and
// Idempotency-Key (the same write sent twice happens once), and If-None-Match for cheap polling. Guarantee: a header
// that is there but cannot be understood is refused, never ignored, or a guarded write would go through unguarded.

import { problem, type Problem } from "../core/problem.ts";

/** `"7"`, `7` → 7; `*` → "any"; no header → null. A proxy that compresses turns `"7"` into `W/"7"`: also 7. */
export function parseIfMatch(header: string | null): number | "any" | null | Problem {
  if (header === null) return null;
  const text = header.trim();
  if (text === "*") return "any";
  const revision = readEntityTag(text);
  if (revision !== null) return revision;
  return problem("invalid_request", 'If-Match takes one revision, as in If-Match: "7", or *.', {
    field: "If-Match",
  });
}

/** Is `revision` among the entity tags of an If-None-Match header? Tags of other resources simply do not match. */
export function matchesIfNoneMatch(header: string | null, revision: number): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((tag) => readEntityTag(tag.trim()) === revision);
}

export function formatEntityTag(revision: number): string {
  return `"${revision}"`;
}

function readEntityTag(text: string): number | null {
  const found = /^(?:(?:W\/)?"(\d{1,15})"|(\d{1,15}))$/.exec(text);
  const digits = found?.[1] ?? found?.[2];
  return digits === undefined ? null : Number(digits);
}

/** 1 to 255 visible ASCII characters; no header → null. */
export function parseIdempotencyKey(header: string | null): string | null | Problem {
  if (header === null) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  return problem(
    "invalid_request",
    "Idempotency-Key takes 1 to 255 visible ASCII characters; a UUID does well.",
    { field: "Idempotency-Key" },
  );
}

/** Tells two requests under one key apart: SHA-256 (hex) over method, path with query, and the body's bytes. */
export async function fingerprintRequest(method: string, path: string, body: Uint8Array): Promise<string> {
  const head = new TextEncoder().encode(`${method}\n${path}\n`);
  const all = new Uint8Array(head.length + body.length);
  all.set(head);
  all.set(body, head.length);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", all)));
}

/** SHA-256 over a text's UTF-8, as lower-case hex. */
export async function hashText(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
