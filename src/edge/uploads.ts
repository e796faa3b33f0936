// Gemini's resumable uploads: the answer to the first step names the absolute URL of the second. It must lead through
// this proxy again: @google/genai puts the host of its own base URL into it and keeps the path, which without the mount
// is nobody's here; and other clients would go on past a proxy that holds their key.

import type { Call } from "./call.ts";

const UPLOAD_URL = "x-goog-upload-url";

/** Puts the mount that was asked in place of the provider's origin. A URL on any other host stays as it is. */
export function mountUploadUrl(answer: Headers, { request, route, origin }: Call): void {
  const named = answer.get(UPLOAD_URL);
  if (named === null || !named.startsWith(`${origin}/`)) return;
  const mount = request.url.slice(0, request.url.length - route.path.length - route.search.length);
  answer.set(UPLOAD_URL, mount + named.slice(origin.length));
}
