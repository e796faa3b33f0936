// What `npm start` prints once everything runs: where things are and the lines to try, each one ready to be pasted.

import { DEMO_PROMPT } from "./demo.ts";

export type BannerFacts = {
  url: string;
  token: string;
  standInUrl: string;
  /** Providers that are the real ones because their key is in `.dev.vars`. */
  real: readonly string[];
  /** What is wrong with the providers' configuration. */
  problems: readonly string[];
  color: boolean;
};

const QUESTION = JSON.stringify({
  model: "gpt-5.4-mini",
  messages: [{ role: "user", content: "I bought it 60 days ago. Money back?" }],
});

export function formatBanner(facts: BannerFacts): string {
  const { bold, dim } = paint(facts.color);
  const chat = `${facts.url}/p/${DEMO_PROMPT}/openai/v1/chat/completions`;
  const key = facts.real.includes("openai") ? ` -H "Authorization: Bearer $OPENAI_API_KEY"` : "";
  const json = `${key} -H 'content-type: application/json' -d '${QUESTION}'`;
  const real = facts.real.length > 0 ? ` · real: ${facts.real.join(", ")}` : "";
  const lines = [
    "",
    `  ${bold("Switchback")} is running on ${bold(facts.url)}`,
    `  ${dim("dashboard")}  ${facts.url}/dashboard#token=${encodeURIComponent(facts.token)}`,
    `  ${dim("provider")}   a stand-in on ${facts.standInUrl}, no API key needed${real}`,
    ...facts.problems.map((problem) => `  ${bold("!")} ${problem}`),
    "",
    `  ${bold("1")} Ask; the app names a prompt in its base URL, nothing else:`,
    `    curl -s ${chat}${json}`,
    `  ${bold("2")} See what is live, then send 25 % of the traffic to version 2:`,
    `    npx switchback status ${DEMO_PROMPT}`,
    `    npx switchback canary ${DEMO_PROMPT} 2 25%`,
    `  ${bold("3")} Ask as 20 callers; about 5 get version 2, which gives refunds away:`,
    `    for i in $(seq 20); do curl -s ${chat} -H "Prompt-Key: caller-$i"${json} | grep -o '"content":"[^"]*"'; done`,
    `  ${bold("4")} Take it back, wait until that is enforced everywhere, and ask again (3):`,
    `    npx switchback rollback ${DEMO_PROMPT} --wait --reason "promises refunds"`,
    "",
    `  ${dim("Ctrl-C stops it; what you did is kept in .wrangler/state.")}`,
    "",
  ];
  return lines.join("\n");
}

function paint(color: boolean) {
  const wrap = (code: number) => (text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: wrap(1), dim: wrap(2) };
}
