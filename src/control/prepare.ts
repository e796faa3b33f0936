// From what a caller pushes to a closed, compiled, content-addressed version: parse, inline partials, compile, hash.
// It asks other prompts' objects and therefore takes time; the decision comes after it, at once. What a partial says
// later does not matter (guarantee 5): the texts of this moment become part of the version.

import { digestSource } from "../core/canonical.ts";
import { compileContent } from "../core/compile.ts";
import { parseContent } from "../core/content.ts";
import {
  inlinePartials,
  listPartials,
  partialText,
  type PartialReference,
  type PartialSource,
} from "../core/partials.ts";
import type { ControlPort } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Content, PromptKind } from "../core/types.ts";
import type { PreparedPush } from "./commands.ts";

/** Each costs up to three calls of the thousand that an invocation may make. */
const MOST_PARTIALS = 100;

type Controls = { getByName(prompt: string): ControlPort };

/** `invalid_request` names what is wrong with the content, or which partial is not to be had. */
export async function preparePush(
  pushed: unknown,
  kind: PromptKind,
  controls: Controls,
): Promise<PreparedPush | Problem> {
  const parsed = parseContent(pushed);
  if (isProblem(parsed)) return parsed;
  const fit = kind === "partial" ? partialText(parsed) : null;
  if (isProblem(fit)) return fit;
  const sources = await readPartials(parsed, controls);
  if (isProblem(sources)) return sources;
  const closed = inlinePartials(parsed, (name, version) => sources.get(keyOf({ name, version })) ?? null);
  if (isProblem(closed)) return closed;
  const compiled = compileContent(closed.content, kind);
  if (isProblem(compiled)) return compiled;
  const digest = await hashText(digestSource(closed.content));
  return { digest, content: closed.content, compiled, partials: closed.partials };
}

async function readPartials(
  content: Content,
  controls: Controls,
): Promise<Map<string, PartialSource> | Problem> {
  const references = listPartials(content);
  if (references.length > MOST_PARTIALS) {
    return problem("invalid_request", `A version takes at most ${MOST_PARTIALS} partials.`, {
      field: "messages",
    });
  }
  const found = await Promise.all(references.map((reference) => readPartial(reference, controls)));
  const sources = new Map<string, PartialSource>();
  for (const [index, source] of found.entries()) {
    if (isProblem(source)) return source;
    sources.set(keyOf(references[index]!), source);
  }
  return sources;
}

/** A partial that names no version is the newest that was not revoked, like a push of it would show. */
async function readPartial(
  reference: PartialReference,
  controls: Controls,
): Promise<PartialSource | Problem> {
  const control = controls.getByName(reference.name);
  const prompt = await control.readPrompt();
  if (isProblem(prompt)) return refuse(reference, prompt.message);
  if (prompt.kind !== "partial" || prompt.archivedAt !== null) {
    return refuse(
      reference,
      prompt.kind === "partial" ? "It is archived." : "It is no prompt of kind partial.",
    );
  }
  const version = reference.version ?? (await newestVersion(control));
  if (isProblem(version)) return refuse(reference, version.message);
  const view = await control.readVersion(version);
  if (isProblem(view)) return refuse(reference, view.message);
  if (view.revoked !== null) return refuse(reference, `Its version ${version} was revoked.`);
  const text = partialText(view.content);
  if (isProblem(text)) return refuse(reference, text.message);
  const { digest, content } = view;
  return { text, version, digest, ...(content.variables ? { variables: content.variables } : {}) };
}

async function newestVersion(control: ControlPort): Promise<number | Problem> {
  const versions = await control.readVersions();
  if (isProblem(versions)) return versions;
  const newest = versions.findLast((version) => version.revoked === null);
  return newest?.version ?? problem("version_not_found", "It has no version that may be used.");
}

function refuse(reference: PartialReference, why: string): Problem {
  return problem("invalid_request", `The partial "${keyOf(reference)}" is not to be had. ${why}`, {
    field: "messages",
  });
}

/** As it stands in the tag. */
function keyOf({ name, version }: PartialReference): string {
  return version === null ? name : `${name}@${version}`;
}

/** SHA-256 as lower-case hex. */
async function hashText(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
