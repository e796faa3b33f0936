// Proxy keys and what they can be used with. Never the keys themselves, but for the one just minted.

import type { KeyView, ProviderView } from "../../admin/schemas.ts";
import { paint, plain, type Look } from "./look.ts";
import { formatTable, type Row } from "./table.ts";
import { formatAge } from "./time.ts";
import { describeState } from "./tokens.ts";

export function formatKeys(look: Look, keys: KeyView[], nowMs: number): string[] {
  if (keys.length === 0) return ["No proxy key has been minted yet: switchback keys create NAME."];
  const rows = keys.map((key): Row => [
    { text: key.id, style: "bold" },
    plain(key.name),
    describeScope(key),
    { text: key.lastUsedAt === null ? "never" : formatAge(key.lastUsedAt, nowMs), style: "dim" },
    describeState(key, nowMs),
  ]);
  return formatTable(look, rows, { header: ["ID", "NAME", "FOR", "LAST USED", "STATE"], flexible: 2 });
}

const GOES: { [use in KeyView["use"]]: string } = {
  all: "it goes where your SDK takes the provider's API key",
  feedback: "POST /feedback takes it as Authorization: Bearer <key>, from a page of any origin too",
};

export function formatMintedKey(look: Look, key: KeyView & { key: string }): string[] {
  return [
    `${paint(look, "bold", plain(key.name))}  ${describeScope(key)}  ${key.id}`,
    paint(look, "yellow", `The key, shown this once; ${GOES[key.use]}:`),
    plain(key.key),
  ];
}

/** "feedback only · support-bot", "support-bot · staging · openai · 600/min" */
function describeScope({
  prompts,
  environments,
  providers,
  passThrough,
  requestsPerMinute,
  use,
}: KeyView): string {
  const parts = [
    ...(use === "feedback" ? ["feedback only"] : []),
    prompts.length === 0 ? "every prompt" : prompts.join(", "),
    ...(environments.length === 0 ? [] : [environments.join(", ")]),
    ...(providers.length === 0 ? [] : [providers.join(", ")]),
    ...(use === "feedback" || passThrough === (prompts.length === 0)
      ? []
      : [passThrough ? "and pass-through" : "prompts only"]),
    ...(requestsPerMinute === null ? [] : [`${requestsPerMinute}/min`]),
  ];
  return plain(parts.join(" · "));
}

/** Whether a key of ours opens the provider; a client's own credential passes wherever there is a host. */
function describeKeyUse({ can }: ProviderView): string {
  if (!can.includes("proxy-keys")) return "no";
  return can.includes("signing") ? "yes, signed" : "yes";
}

export function formatProviders(look: Look, providers: ProviderView[]): string[] {
  const rows = providers.map((provider): Row => [
    { text: plain(provider.name), style: "bold" },
    plain(provider.origin ?? "no host yet"),
    plain(provider.secret ?? "no secret"),
    describeKeyUse(provider),
  ]);
  const header = ["PROVIDER", "HOST", "SECRET", "PROXY KEYS"];
  const table = formatTable(look, rows, { header, flexible: 1 });
  const wrong = providers.flatMap(({ name, problems }) =>
    problems.map(
      ({ message, mend }) =>
        `${paint(look, "yellow", plain(name))}: ${plain(message)} ${paint(look, "dim", plain(mend))}`,
    ),
  );
  return wrong.length === 0 ? table : [...table, "", ...wrong];
}
