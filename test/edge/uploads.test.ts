// Where the second step of a resumable upload goes.

import { expect, test } from "vitest";
import type { Call } from "../../src/edge/call.ts";
import { isProblem } from "../../src/core/problem.ts";
import { parseRoute } from "../../src/edge/route.ts";
import { mountUploadUrl } from "../../src/edge/uploads.ts";

const ORIGIN = "https://generativelanguage.googleapis.com";

/** The upload URL that a client gets which asked `url`, when the provider named `named`. */
function mounted(url: string, named: string, origin = ORIGIN): string | null {
  const route = parseRoute(url);
  if (isProblem(route)) throw new Error(route.message);
  const answer = new Headers({ "x-goog-upload-url": named });
  mountUploadUrl(answer, { request: { url }, route, origin } as Call);
  return answer.get("x-goog-upload-url");
}

test.each([
  ["https://proxy.test/gemini/upload/v1beta/files", "https://proxy.test/gemini"],
  ["https://proxy.test/gemini/upload/v1beta/files?alt=json&x=/gemini/", "https://proxy.test/gemini"],
  [
    "http://127.0.0.1:8787/p/bot@staging/gemini/upload/v1/files",
    "http://127.0.0.1:8787/p/bot@staging/gemini",
  ],
])("leads through the mount that was asked: %s", (url, mount) => {
  const query = "?upload_id=a%2Fb&upload_protocol=resumable";
  expect(mounted(url, `${ORIGIN}/upload/v1beta/files${query}`)).toBe(`${mount}/upload/v1beta/files${query}`);
});

test("the path prefix of a configured origin is not doubled", () => {
  const origin = "http://127.0.0.1:9/google";
  expect(
    mounted("https://proxy.test/gemini/upload/v1/files", `${origin}/upload/v1/files?upload_id=1`, origin),
  ).toBe("https://proxy.test/gemini/upload/v1/files?upload_id=1");
});

test("a URL on another host stays as it is", () => {
  for (const named of ["https://storage.test/u/1", `${ORIGIN}.evil.test/u`, "nonsense"]) {
    expect(mounted("https://proxy.test/gemini/upload/v1/files", named)).toBe(named);
  }
});
