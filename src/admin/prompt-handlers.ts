// Handlers of prompts and versions: each turns a checked call into one command or read of the prompt's Control.

import { diffContents } from "../core/diff.ts";
import type { PutPrompt } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { usageProviders } from "../core/providers.ts";
import { NAME_PATTERN } from "../core/types.ts";
import { REGISTRY_NAME } from "../env.ts";
import { checkRole } from "./auth.ts";
import { answerWith, executeCommand, type Call, type Handlers, type Reply } from "./call.ts";
import { checkJudge } from "./judges.ts";
import type { promptOperations } from "./prompt-operations.ts";
import { checkProviders } from "./providers.ts";
import { renderRequest } from "./render.ts";
import { callControl, callStub } from "./stubs.ts";
import type { versionOperations } from "./version-operations.ts";

type Put = Call<(typeof promptOperations)["putPrompt"]>;
type Push = Call<(typeof versionOperations)["pushVersion"]>;

export const promptHandlers: Handlers<typeof promptOperations & typeof versionOperations> = {
  async listPrompts({ env, query }) {
    const includeArchived = query.archived === "true";
    const prompts = await callStub(
      () => env.REGISTRY.getByName(REGISTRY_NAME),
      (registry) => registry.list({ includeArchived }),
    );
    if (isProblem(prompts)) return prompts;
    return answerWith({ prompts: prompts.toSorted((left, right) => (left.name < right.name ? -1 : 1)) });
  },

  putPrompt,
  pushVersion,

  async getPrompt({ env, params }) {
    const prompt = await callControl(env, params.prompt, (control) => control.readPrompt());
    return isProblem(prompt) ? prompt : answerWith(prompt);
  },

  archivePrompt: (call) =>
    executeCommand(call, call.params.prompt, { type: "archive", reason: call.query.reason }),

  async listVersions({ env, params }) {
    return callControl(env, params.prompt, async (control, prompt) => {
      const versions = await control.readVersions();
      if (isProblem(versions)) return versions;
      const newestFirst = versions.toSorted((left, right) => right.version - left.version);
      return answerWith({ prompt, versions: newestFirst });
    });
  },

  async getVersion({ env, params }) {
    const version = await callControl(env, params.prompt, (control) => control.readVersion(params.version));
    return isProblem(version) ? version : answerWith(version);
  },

  async diffVersions({ env, params, query }) {
    return callControl(env, params.prompt, async (control, prompt) => {
      const [from, to] = await Promise.all([control.readVersion(query.from), control.readVersion(query.to)]);
      if (isProblem(from)) return nameField(from, "from");
      if (isProblem(to)) return nameField(to, "to");
      const { text, ...diff } = diffContents(from, to);
      return answerWith({ prompt, ...diff, unified: text });
    });
  },

  async renderPrompt({ env, params, body }) {
    const unknown = checkProviders([body.provider], env, "provider");
    if (unknown !== null) return unknown;
    return callControl(env, params.prompt, async (control) => {
      const asksUsage = usageProviders(env).includes(body.provider);
      const rendering = await renderRequest(control, { ...body, asksUsage });
      return isProblem(rendering) ? rendering : answerWith(rendering);
    });
  },

  revokeVersion: (call) =>
    executeCommand(call, call.params.prompt, {
      type: "revoke",
      version: call.params.version,
      reason: call.body.reason,
    }),
};

/** Control knows a version by its number alone; the caller has to hear which of the two it was. */
function nameField(missing: Problem, field: string): Problem {
  return missing.problem === "version_not_found" ? { ...missing, field } : missing;
}

/** The only write that may meet an unknown name; an alias must not become a second prompt of that name. */
async function putPrompt(call: Put): Promise<Reply | Problem> {
  const asked = call.params.prompt;
  const found = await callControl(call.env, asked, (control) => control.readPrompt());
  if (isProblem(found) && found.problem !== "prompt_not_found") return found;
  if (isProblem(found) && !NAME_PATTERN.test(asked)) {
    return problem("invalid_request", `A prompt's name must match ${NAME_PATTERN.source}.`, {
      field: "prompt",
    });
  }
  if (isProblem(found) && call.guards.ifMatch === "any") {
    return problem("revision_conflict", `If-Match: * asks for a prompt that exists; there is no ${asked}.`, {
      current: 0,
    });
  }
  const name = isProblem(found) ? asked : found.name;
  const settings = await prepareSettings(call);
  if (isProblem(settings)) return settings;
  const reply = await executeCommand(call, name, { type: "put", settings });
  if (isProblem(reply) || reply.status !== 201) return reply;
  return { ...reply, location: `/admin/prompts/${name}` };
}

/** A judge sends live content to a model and spends the Worker's secret, so setting one takes what minting a key takes. */
async function prepareSettings({ actor, body, env }: Put): Promise<PutPrompt | Problem> {
  if (body.judge == null) return body;
  if (checkRole(actor, "admin") !== null) {
    const message = `Setting judge needs the role admin, because it sends answers to a model and spends the Worker's secret; this token has the role ${actor.role}. Leave judge out, or set it with a token of the role admin; null, which turns it off, needs none.`;
    return problem("forbidden", message, { field: "judge" });
  }
  const judge = await checkJudge(body.judge, env);
  return isProblem(judge) ? judge : { ...body, judge };
}

async function pushVersion(call: Push): Promise<Reply | Problem> {
  const reply = await executeCommand(call, call.params.prompt, { type: "push", content: call.body });
  if (isProblem(reply) || reply.status !== 201) return reply;
  const { version } = reply.body as { version: number };
  return { ...reply, location: `/admin/prompts/${reply.prompt}/versions/${version}` };
}
