// All that the page knows, as one plain object, and how each part of it is read from the admin API. Views read the
// object and never write it; app.ts replaces parts of it and has the views draw themselves.

import type { Actor, Prompt, ReleaseView, Revision, VersionSummary } from "../../core/types.ts";
import type { Metrics } from "../../admin/schemas.ts";
import { failed, type Api, type ApiProblem, type Reply } from "./api.ts";
import { createObserved, type Observed } from "./observed.ts";
import type { Sample } from "./rates.ts";

/** A rollback whose enforcement is being counted down, or is done. */
export type Enforcement = {
  prompt: string;
  environment: string;
  revision: number;
  from: number;
  to: number;
  mode: string;
  enforcedBy: string;
  /** On this page's clock (performance.now). */
  startedAtMs: number;
  remainingMs: number;
};

export type Model = {
  actor: Actor;
  prompts: Prompt[];
  /** null: there is no prompt at all. */
  prompt: string | null;
  environment: string;
  environments: string[];
  release: ReleaseView | null;
  /** Why there is no release to show. */
  releaseProblem: ApiProblem | null;
  versions: VersionSummary[];
  metrics: Metrics | null;
  samples: Sample[];
  revisions: Revision[];
  nextBefore: number | null;
  observed: Observed;
  enforcement: Enforcement | null;
  /** Set while the control plane does not answer. */
  unreachable: ApiProblem | null;
  loading: boolean;
};

export function emptyModel(actor: Actor): Model {
  return {
    actor,
    prompts: [],
    prompt: null,
    environment: "production",
    environments: ["production"],
    release: null,
    releaseProblem: null,
    versions: [],
    metrics: null,
    samples: [],
    revisions: [],
    nextBefore: null,
    observed: createObserved(),
    enforcement: null,
    unreachable: null,
    loading: true,
  };
}

/** What belongs to one prompt in one environment: forgotten when another is chosen. */
export function forgetSelection(model: Model): Model {
  const { actor, prompts, prompt, environment, observed } = model;
  return {
    ...emptyModel(actor),
    prompts,
    prompt,
    environment,
    environments: [environment],
    observed: createObserved(observed.window),
  };
}

export function promptPath(prompt: string, rest = ""): string {
  return `/admin/prompts/${encodeURIComponent(prompt)}${rest}`;
}

function environmentQuery(environment: string): string {
  return `environment=${encodeURIComponent(environment)}`;
}

export function readPrompts(api: Api): Promise<Reply<{ prompts: Prompt[] }>> {
  return api.read("/admin/prompts");
}

export type Live = { release: Reply<ReleaseView>; metrics: Metrics | null };

/** What changes by itself all the time: read every two seconds. */
export async function readLive(api: Api, prompt: string, environment: string): Promise<Live> {
  const query = environmentQuery(environment);
  const [release, metrics] = await Promise.all([
    api.read<ReleaseView>(promptPath(prompt, `/release?${query}`)),
    api.read<Metrics>(promptPath(prompt, `/metrics?${query}`)),
  ]);
  return { release, metrics: failed(metrics) ? null : metrics.body };
}

/** What changes only with a push or a new revision. */
export async function readHistory(api: Api, prompt: string, environment: string): Promise<Partial<Model>> {
  const [versions, environments, log] = await Promise.all([
    api.read<{ versions: VersionSummary[] }>(promptPath(prompt, "/versions")),
    api.read<{ environments: string[] }>(promptPath(prompt, "/environments")),
    readRevisions(api, prompt, environment, null),
  ]);
  const part: Partial<Model> = {};
  if (!failed(versions)) part.versions = versions.body.versions;
  if (!failed(environments)) {
    part.environments = [...new Set(["production", ...environments.body.environments, environment])];
  }
  if (!failed(log)) {
    part.revisions = log.body.revisions;
    part.nextBefore = log.body.nextBefore;
  }
  return part;
}

export type RevisionPage = { revisions: Revision[]; nextBefore: number | null };

export function readRevisions(
  api: Api,
  prompt: string,
  environment: string,
  before: number | null,
): Promise<Reply<RevisionPage>> {
  const page = before === null ? "" : `&before=${before}`;
  return api.read(promptPath(prompt, `/revisions?${environmentQuery(environment)}&limit=20${page}`));
}

/** The versions that a click could give traffic to: not revoked, not the baseline. */
export function candidates(model: Model): VersionSummary[] {
  return model.versions.filter(
    ({ version, revoked }) => revoked === null && version !== model.release?.baseline,
  );
}

/** 1 for the first canary, 2 for the second…; 0 for the baseline; null without traffic. Decides the colour. */
export function colorOf(model: Model, version: number): number | null {
  const index = model.release?.arms.findIndex((arm) => arm.version === version) ?? -1;
  return index < 0 ? null : Math.min(index, 4);
}

/** As `colorOf`, of several versions: those without traffic get what is left, so that lines can be told apart. */
export function colorsOf(model: Model, versions: readonly number[]): Map<number, number | "off"> {
  const taken = new Map<number, number | "off">();
  for (const version of versions) {
    const color = colorOf(model, version);
    if (color !== null) taken.set(version, color);
  }
  const free = [1, 2, 3, 4].filter((color) => ![...taken.values()].includes(color));
  for (const version of versions) if (!taken.has(version)) taken.set(version, free.shift() ?? "off");
  return taken;
}

export function canWrite(model: Model): boolean {
  return model.actor.role !== "viewer";
}
