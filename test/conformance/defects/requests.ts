// What a gateway can do wrong with requests.

import { cleanUp, type Parts } from "../gateway.ts";
import { COLLECTS, notUp, type Defect } from "./parts.ts";

/** Bodies are changed only where they are JSON; as they are collected for it, no upload streams. */
function ofJson(change: (text: string) => string | "refuse"): Partial<Parts> {
  return {
    bodyUp(body, type) {
      if (!type.includes("json") || body[0] === 0x1f) return body;
      const changed = change(body.toString());
      return changed === "refuse" ? "refuse" : Buffer.from(changed);
    },
  };
}

const changesUrl = (change: (path: string, query: string) => string): Partial<Parts> => ({
  urlUp(url) {
    const [path = "", ...query] = url.split("?");
    return change(path, query.join("?"));
  },
});

export const REQUESTS: Defect[] = [
  {
    name: "writes bodies anew",
    parts: ofJson((text) => JSON.stringify(JSON.parse(text))),
    found: [
      "key-order",
      "big-integers",
      "decimals",
      "duplicate-keys",
      "escapes",
      "whitespace",
      "whole-body",
      COLLECTS,
    ],
  },
  {
    name: "knows the fields",
    parts: ofJson((text) => text.replace(/,"future_field":\{[^}]*\}[^}]*\}/, "")),
    found: ["unknown-fields", "whole-body", COLLECTS],
  },
  {
    name: "mends surrogates",
    parts: ofJson((text) => text.replace(/\\udc00|\\ud83d(?!\\ude00)/g, "\ufffd")),
    found: ["lone-surrogates", "whole-body", COLLECTS],
  },
  {
    name: "normalises text",
    parts: ofJson((text) => text.normalize("NFC")),
    found: ["utf-8", "whole-body", COLLECTS],
  },
  {
    name: "refuses deep bodies",
    parts: ofJson((text) => (text.includes("[".repeat(100)) ? "refuse" : text)),
    found: ["deep-body", "whole-body", COLLECTS],
  },
  {
    name: "refuses long bodies",
    parts: ofJson((text) => (text.length > 1_000_000 ? "refuse" : text)),
    found: ["long-body", COLLECTS],
  },
  { name: "collects uploads", parts: { bodyUp: (body) => body }, found: [COLLECTS] },
  {
    name: "gives forms a boundary of its own",
    parts: {
      headersUp: (raw, url) =>
        cleanUp(raw, url).map(([name, value]) => [name, value.replace("----Conf", "----Gateway")]),
    },
    found: ["multipart"],
  },
  {
    name: "reads bodies as text",
    parts: { bodyUp: (body, type) => (type.includes("octet") ? Buffer.from(body.toString()) : body) },
    found: ["binary-up", COLLECTS],
  },
  { name: "hides that a body is compressed", parts: notUp(/^content-encoding$/i), found: ["gzip-up"] },
  {
    name: "decodes paths",
    parts: changesUrl((path, query) => path.replaceAll("%2F", "/") + (query && `?${query}`)),
    found: ["path"],
  },
  {
    name: "reads queries",
    parts: changesUrl((path, query) => path + (query && `?${new URLSearchParams(query).toString()}`)),
    found: ["query"],
  },
  {
    name: "knows GET and POST",
    parts: { methodUp: (method) => (method === "DELETE" ? "POST" : method) },
    found: ["method", "no-content"],
  },
];
