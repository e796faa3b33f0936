// What a gateway can do wrong with headers.

import { cleanDown } from "../gateway.ts";
import { alsoDown, alsoUp, notDown, notUp, setsUp, type Defect } from "./parts.ts";

export const HEADERS: Defect[] = [
  { name: "knows no betas", parts: notUp(/-beta$|^x-goog-api-client$/i), found: ["beta-header"] },
  { name: "drops what SDKs say", parts: notUp(/^(idempotency|x-stainless|trace)/i), found: ["sdk-headers"] },
  { name: "knows its headers", parts: notUp(/^x-(future|empty)/i), found: ["unknown-header-up"] },
  { name: "names itself", parts: setsUp("user-agent", "gateway"), found: ["user-agent"] },
  { name: "forgets the key", parts: notUp(/^(authorization|x-(goog-)?api-key)$/i), found: ["credential"] },
  { name: "keeps its own Host", parts: setsUp("host", "gateway.test"), found: ["host"] },
  {
    name: "passes the connection's headers up",
    parts: alsoUp(/^(x-only-here|proxy-authorization)$/i),
    found: ["hop-by-hop-up"],
  },
  { name: "passes cookies up", parts: alsoUp(/^cookie$/i), found: ["cookies-up"] },
  { name: "tells where the user is", parts: alsoUp(/^x-forwarded-for$/i), found: ["client-address"] },
  { name: "passes every key up", parts: alsoUp(/^(x-goog-)?api-key$/i), found: ["foreign-credential"] },
  { name: "passes its own headers up", parts: alsoUp(/^x-gateway$/i), found: ["own-headers"] },
  { name: "follows redirects", parts: { followsRedirects: true }, found: ["redirect", "streamed-upload"] },
  { name: "drops retry hints", parts: notDown(/^(retry-after|x-should)/i), found: ["retry-hints"] },
  { name: "drops request ids", parts: notDown(/request-id$/i), found: ["request-ids"] },
  { name: "drops limits", parts: notDown(/ratelimit/i), found: ["rate-limits"] },
  {
    name: "knows the provider's headers",
    parts: notDown(/^(x-next|openai-|anthropic-org)/i),
    found: ["unknown-header-down"],
  },
  {
    name: "calls everything JSON",
    parts: {
      headersDown: (raw) =>
        cleanDown(raw).map(([name, value]) => [name, /json/.test(value) ? "application/json" : value]),
    },
    found: ["content-type"],
  },
  { name: "passes cookies down", parts: alsoDown(/^set-cookie$/i), found: ["cookies-down"] },
  {
    name: "passes the connection's headers down",
    parts: alsoDown(/^(x-only-there|proxy-authenticate)$/i),
    found: ["hop-by-hop-down"],
  },
];
