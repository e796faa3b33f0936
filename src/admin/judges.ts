// What a prompt's judge has to be, looked up before it is set: another prompt that can be served, at a provider that the
// Worker holds a secret for. A judge that could never answer would be silent for ever, and silence is no verdict.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { JudgeSettings } from "../core/watch-settings.ts";
import type { Env } from "../env.ts";
import { checkProviders, describeProviders } from "./providers.ts";
import { callControl } from "./stubs.ts";

const FIELD = "judge.prompt";

/** The settings with the judge called by its own name. */
export async function checkJudge(settings: JudgeSettings, env: Env): Promise<JudgeSettings | Problem> {
  const unusable = checkJudgeProvider(settings.provider, env);
  if (unusable !== null) return unusable;
  const judge = await callControl(env, settings.prompt, (control) => control.readPrompt());
  if (isProblem(judge)) return judge.problem === "prompt_not_found" ? { ...judge, field: FIELD } : judge;
  if (judge.kind === "partial" || judge.archivedAt !== null || judge.latestVersion === 0) {
    const why =
      judge.kind === "partial"
        ? "is a partial"
        : judge.archivedAt !== null
          ? "is archived"
          : "has no version yet";
    return problem("conflict", `"${judge.name}" ${why}, so it cannot be asked.`, { field: FIELD });
  }
  return { ...settings, prompt: judge.name };
}

function checkJudgeProvider(provider: string, env: Env): Problem | null {
  const unknown = checkProviders([provider], env, "judge.provider");
  if (unknown !== null) return unknown;
  const found = describeProviders(env).find(({ name }) => name === provider);
  if (found?.can.includes("proxy-keys")) return null;
  const mend =
    found?.problems[0]?.mend ?? "npx wrangler secret put its key; GET /admin/providers says which.";
  return problem(
    "conflict",
    `The Worker holds no secret for ${provider}, so it cannot ask a judge there: ${mend}`,
    { field: "judge.provider" },
  );
}
