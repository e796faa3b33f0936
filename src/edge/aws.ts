// Signature Version 4 for Bedrock, by the signer that AWS's own SDK uses, over the body that really goes up. Signed is
// what AWS demands and nothing else: a header that the network rewrites on its way (Cloudflare does accept-encoding)
// would break the signature. The signer is loaded with the first request that needs it.

import type { AwsCredentials } from "./credentials.ts";
import type { UpstreamCall } from "./forward.ts";
import { hexOf } from "./hex.ts";

type Signer = InstanceType<typeof import("@smithy/signature-v4").SignatureV4>;

type Bytes = Uint8Array<ArrayBuffer>;

/** What the signer hashes and signs with: the platform's own SHA-256 and HMAC. */
class Sha256 {
  readonly #secret: Bytes | null;
  #pieces: Bytes[] = [];

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? null : bytesOf(secret);
  }

  update(piece: string | ArrayBuffer | ArrayBufferView): void {
    this.#pieces.push(bytesOf(piece));
  }

  async digest(): Promise<Uint8Array> {
    const bytes = await new Blob(this.#pieces).arrayBuffer();
    if (this.#secret === null) return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", this.#secret, algorithm, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
  }

  reset(): void {
    this.#pieces = [];
  }
}

/** A copy: what the signer hands over are a few hundred bytes. */
function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Bytes {
  if (typeof data === "string") return Uint8Array.from(new TextEncoder().encode(data));
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** The call with its signature in its headers. Every attempt is signed anew: the time is part of it. */
export async function signCall(
  call: UpstreamCall & { body: Uint8Array | null },
  credentials: AwsCredentials,
): Promise<UpstreamCall> {
  const url = new URL(call.url);
  const path = url.pathname.split("/").map(encodeSegment).join("/");
  const digest = await crypto.subtle.digest("SHA-256", (call.body ?? new Uint8Array(0)) as BufferSource);
  const headers: Record<string, string> = { host: url.host, "x-amz-content-sha256": hexOf(digest) };
  for (const [name, value] of call.headers) {
    if (name === "content-type" || name.startsWith("x-amz")) headers[name] = value;
  }
  const { protocol, hostname } = url;
  const query = groupQuery(url.searchParams);
  const signer = await createSigner(credentials);
  const signed = await signer.sign({ method: call.method, protocol, hostname, path, query, headers });
  for (const [name, value] of Object.entries(signed.headers)) {
    if (name !== "host") call.headers.set(name, value);
  }
  return { ...call, url: url.origin + path + url.search };
}

async function createSigner({ sessionToken, region, ...pair }: AwsCredentials): Promise<Signer> {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const credentials = sessionToken === null ? pair : { ...pair, sessionToken };
  return new SignatureV4({ credentials, region, service: "bedrock", sha256: Sha256 });
}

/** `:` and its like escaped on the wire, as AWS's SDKs send them: the service escapes the path that it gets once more,
 * and does not agree with itself on what that makes of a bare one. */
function encodeSegment(segment: string): string {
  let plain = segment;
  try {
    plain = decodeURIComponent(segment);
  } catch {
    // No escape of anything: a bare % is escaped below.
  }
  return encodeURIComponent(plain).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** By entries: a parameter may be called like something that every object has. */
function groupQuery(parameters: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name)]));
}
