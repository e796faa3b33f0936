// The loop of the page: choose → load → draw → every two seconds again. Everything that happens on the page ends in
// `update` of the model followed by one `draw`. Guarantees: an answer for a prompt that is no longer chosen is
// dropped, and a lower revision never replaces a higher one.

import type { Actor } from "../../core/types.ts";
import { failed, type Api, type Failed } from "./api.ts";
import {
  emptyModel,
  forgetSelection,
  readHistory,
  readLive,
  readPrompts,
  promptPath,
  readRevisions,
  type Live,
  type Model,
} from "./model.ts";
import {
  EVENTS_A_PAGE,
  mergeObserved,
  queryOf,
  windowOf,
  type PanelName,
  type WindowName,
} from "./observed.ts";
import { addSample } from "./rates.ts";

export type View = { element: HTMLElement; draw(model: Model): void };

export type AppOptions = {
  api: Api;
  actor: Actor;
  /** Back to the sign-in form, with what to say there. */
  signOut(message?: string): void;
  /** Says something in the status line, for eyes and screen readers; "" clears it. */
  say(text: string): void;
};

const LIVE_MS = 2_000;
/** The list of prompts, and with it news of versions, is read with every third round. */
const ROUNDS_PER_LIST = 3;

export class App {
  readonly api: Api;
  readonly say: AppOptions["say"];
  readonly signOut: AppOptions["signOut"];
  model: Model;
  #view: View | null = null;
  /** Counts selections: an answer that was asked for under another one is stale. */
  #choice = 0;
  #timer: ReturnType<typeof setInterval> | null = null;
  /** What each panel is being asked. A slow answer is not asked for twice, and holds back no other panel. */
  readonly #asked = new Map<PanelName, string>();
  /** Until a reading of them begins. */
  #isMetricsDue = false;

  constructor(options: AppOptions) {
    this.api = options.api;
    this.say = options.say;
    this.signOut = options.signOut;
    this.model = { ...emptyModel(options.actor), ...readAddress() };
  }

  start(view: View): void {
    this.#view = view;
    view.draw(this.model);
    void this.#reloadList().then(() => this.reload());
    let round = 0;
    this.#timer = setInterval(() => {
      if (document.hidden) return;
      round += 1;
      if (round % ROUNDS_PER_LIST === 0) void this.#reloadList();
      const isDue = round % windowOf(this.model.observed.window).everyRounds === 0;
      void this.#reloadLive(false).then(() => this.#observe(isDue));
    }, LIVE_MS);
    document.addEventListener("visibilitychange", this.#readIfVisible);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#readIfVisible);
    this.#view = null;
  }

  update(part: Partial<Model>): void {
    this.model = { ...this.model, ...part };
    this.#view?.draw(this.model);
  }

  /** Chooses a prompt and an environment; the address follows. */
  choose(prompt: string | null, environment: string): void {
    this.#choice += 1;
    if (prompt === null) return this.update({ prompt: null, loading: false });
    history.replaceState(null, "", `#${prompt}@${environment}`);
    const { enforcement } = this.model;
    this.model = forgetSelection({ ...this.model, prompt, environment });
    this.update({ enforcement });
    void this.reload();
  }

  /** Reads everything about the selection again, now. */
  async reload(): Promise<void> {
    await this.#reloadLive(true);
    this.#observe(true);
  }

  /** What was hidden has grown old. */
  readonly #readIfVisible = (): void => {
    if (!document.hidden) void this.reload();
  };

  /** Of the charts and of what stands beside them. */
  chooseWindow(window: WindowName): void {
    this.update({ observed: { ...this.model.observed, window } });
    this.#observe(true);
  }

  showOlderEvents(): void {
    const { observed } = this.model;
    this.update({ observed: { ...observed, mostEvents: observed.mostEvents + EVENTS_A_PAGE } });
    this.#observe(false);
  }

  async loadOlderRevisions(): Promise<void> {
    const { prompt, environment, nextBefore } = this.model;
    if (prompt === null || nextBefore === null) return;
    const choice = this.#choice;
    const reply = await readRevisions(this.api, prompt, environment, nextBefore);
    if (failed(reply)) return this.#noteFailure(reply);
    if (choice !== this.#choice) return;
    const revisions = [...this.model.revisions, ...reply.body.revisions];
    this.update({ revisions, nextBefore: reply.body.nextBefore });
  }

  async #reloadList(): Promise<void> {
    const reply = await readPrompts(this.api);
    if (failed(reply)) return this.#noteFailure(reply);
    const prompts = reply.body.prompts.filter(({ archivedAt }) => archivedAt === null);
    const { prompt, environment } = this.model;
    this.update({ prompts, unreachable: null });
    if (prompts.some(({ name }) => name === prompt)) return;
    this.choose(prompts[0]?.name ?? null, environment);
  }

  async #reloadLive(withHistory: boolean): Promise<void> {
    const { prompt, environment } = this.model;
    if (prompt === null) return;
    const choice = this.#choice;
    const live = await readLive(this.api, prompt, environment);
    if (choice !== this.#choice) return;
    if (failed(live.release) && [0, 401].includes(live.release.problem.status)) {
      return this.#noteFailure(live.release);
    }
    const history = withHistory || this.#isNews(live) ? await readHistory(this.api, prompt, environment) : {};
    if (choice !== this.#choice || this.#isOlder(live)) return;
    this.update({ ...history, ...this.#liveParts(live), loading: false, unreachable: null });
  }

  /** After the release was read: without one there is nothing to observe. */
  #observe(withMetrics: boolean): void {
    const { release, observed, unreachable } = this.model;
    this.#isMetricsDue ||= withMetrics || observed.metricsWindow !== observed.window;
    if (release === null || unreachable !== null) return;
    void this.#observePanel("health");
    void this.#observePanel("events");
    if (this.#isMetricsDue || observed.metrics.body === null) void this.#observePanel("metrics");
  }

  async #observePanel(name: PanelName): Promise<void> {
    const { prompt, environment } = this.model;
    if (prompt === null) return;
    const asked = this.#askOf(name);
    if (this.#asked.get(name) === asked) return;
    this.#asked.set(name, asked);
    if (name === "metrics") this.#isMetricsDue = false;
    const query = `environment=${encodeURIComponent(environment)}${queryOf(name, this.model.observed)}`;
    const reply = await this.api.read<unknown>(promptPath(prompt, `/${name}?${query}`));
    if (this.#asked.get(name) === asked) this.#asked.delete(name);
    if (asked !== this.#askOf(name)) return;
    this.update({ observed: mergeObserved(this.model.observed, name, reply) });
  }

  #askOf(name: PanelName): string {
    return `${this.#choice} ${queryOf(name, this.model.observed)}`;
  }

  /** A revision that is not in the log, or a version that the page has not seen. */
  #isNews({ release }: Live): boolean {
    const { versions, prompts, prompt, revisions } = this.model;
    const latest = prompts.find(({ name }) => name === prompt)?.latestVersion ?? 0;
    const known = Math.max(0, ...versions.map(({ version }) => version));
    return latest > known || (!failed(release) && release.body.revision !== revisions[0]?.revision);
  }

  #isOlder({ release }: Live): boolean {
    return !failed(release) && release.body.revision < (this.model.release?.revision ?? 0);
  }

  /** Only a 404 says that there is no release; after any other failure the last one stays. */
  #liveParts({ release, metrics }: Live): Partial<Model> {
    const isGone = failed(release) && release.problem.status === 404;
    const requests = Object.fromEntries((metrics?.versions ?? []).map((row) => [row.version, row.requests]));
    return {
      release: isGone ? null : failed(release) ? this.model.release : release.body,
      releaseProblem: failed(release) ? release.problem : null,
      ...(metrics && {
        metrics,
        samples: addSample(this.model.samples, { atMs: performance.now(), requests }),
      }),
    };
  }

  #noteFailure({ problem }: Failed): void {
    if (problem.status === 401) this.signOut("This token is not valid any more. Sign in again.");
    else this.update({ unreachable: problem });
  }
}

/** `#support-bot@staging` → the selection. */
function readAddress(): { prompt: string | null; environment: string } {
  const match = /^#([A-Za-z0-9][A-Za-z0-9_.-]*)(?:@([a-z0-9][a-z0-9_-]*))?$/.exec(location.hash);
  return { prompt: match?.[1] ?? null, environment: match?.[2] ?? "production" };
}
