// AWS Signature Version 4, verified as the service does it: from the request as it came over the wire, by node:crypto
// and the published rules alone.

import { createHash, createHmac } from "node:crypto";

export type SignedRequest = { method: string; url: string; headers: [string, string][]; body: Buffer };
export type Verdict = {
  valid: boolean;
  accessKeyId: string;
  region: string;
  service: string;
  signedHeaders: string[];
  canonical: string;
};

/** What the service makes of the request's signature with the secret that it knows. Throws when there is none. */
export function verifySignature(request: SignedRequest, secretAccessKey: string): Verdict {
  const headers = new Map(request.headers.map(([name, value]) => [name.toLowerCase(), value.trim()]));
  const authorization = headers.get("authorization") ?? "";
  const parts = /^AWS4-HMAC-SHA256 Credential=(.+), SignedHeaders=(.+), Signature=([0-9a-f]{64})$/.exec(
    authorization,
  );
  if (parts === null) throw new Error(`no signature: ${authorization}`);
  const [, credential = "", names = "", signature = ""] = parts;
  const [accessKeyId = "", date = "", region = "", service = "", terminator = ""] = credential.split("/");
  const [path = "", query = ""] = request.url.split("?");
  const signedHeaders = names.split(";");
  const canonical = [
    request.method,
    path.split("/").map(escapeText).join("/"),
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${(headers.get(name) ?? "").replaceAll(/\s+/g, " ")}`),
    "",
    names,
    createHash("sha256").update(request.body).digest("hex"),
  ].join("\n");
  const scope = [date, region, service, terminator].join("/");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", headers.get("x-amz-date"), scope, digest].join("\n");
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
  for (const piece of [date, region, service, terminator])
    key = createHmac("sha256", key).update(piece).digest();
  const expected = createHmac("sha256", key).update(toSign).digest("hex");
  const isFresh = headers.get("x-amz-date")?.startsWith(date) === true;
  const valid = expected === signature && isFresh && signedHeaders.includes("host");
  return { valid, accessKeyId, region, service, signedHeaders, canonical };
}

function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter((pair) => pair !== "");
  return pairs
    .map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return [name, value].map((text) => escapeText(decodeURIComponent(text))).join("=");
    })
    .toSorted()
    .join("&");
}

function escapeText(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_.~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return escaped.join("");
}
