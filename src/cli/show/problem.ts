// A refusal, so that the reader knows what is wrong and what mends it without opening a manual.

import type { ProblemBody } from "../client.ts";
import { glyph, paint, plain, type Look } from "./look.ts";

export function formatProblem(look: Look, problem: ProblemBody, hints: string[]): string[] {
  const mends = [...mendsOf(problem), ...hints];
  return [
    `${paint(look, "red", `${glyph(look, "cross")} ${plain(problem.title)}`)}  ${paint(look, "dim", problem.code)}`,
    ...(problem.detail ? [`  ${plain(problem.detail)}`] : []),
    ...fieldsOf(problem).map((field) => `  ${field}`),
    ...mends.map((mend) => paint(look, "cyan", `  ${glyph(look, "arrow")} ${mend}`)),
  ];
}

function fieldsOf(problem: ProblemBody): string[] {
  const errors = (problem.errors ?? []).map((error) => `${plain(error.field)}: ${plain(error.message)}`);
  if (errors.length > 0) return errors;
  return problem.field ? [`field: ${plain(problem.field)}`] : [];
}

const MENDS: { [code: string]: string } = {
  prompt_not_found: "`switchback list` shows the prompts there are; `switchback create PROMPT` makes one",
  version_not_found: "`switchback versions PROMPT` shows the versions there are; `switchback push` adds one",
  provider_not_found: "`switchback providers` shows the providers there are",
  key_not_found: "`switchback keys list` shows the proxy keys there are",
  token_not_found: "`switchback tokens list` shows the tokens there are",
  environment_not_found:
    "an environment begins with the first canary, promote, rollback or start of a ramp that names it (-e NAME)",
  unauthenticated: "check SWITCHBACK_TOKEN: it is unknown to this server, expired or revoked",
  forbidden: "use a token with a higher role (`switchback tokens create NAME --role ROLE`)",
  revision_conflict: "look at `switchback status PROMPT`, then repeat the command if it is still right",
  unreachable: "is it running? Locally: `npm start`; elsewhere: check SWITCHBACK_URL",
  version_revoked: "a revocation is final: push the content anew, changed",
};

function mendsOf(problem: ProblemBody): string[] {
  const missing = problem.missing ?? [];
  if (missing.length > 0) return [`add ${missing.map((name) => `--var ${plain(name)}=…`).join(" ")}`];
  const mend = MENDS[problem.code];
  return mend === undefined ? [] : [mend];
}
