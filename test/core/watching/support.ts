// A release under simulated traffic: reports of a second each into the watch, by the code of the data plane and of Control.

import { addSeen, type WatchContext } from "../../../src/core/watching/add.ts";
import { conclude, takeNews, type Conclusion, type News } from "../../../src/core/watching/conclude.ts";
import { followRelease } from "../../../src/core/watching/follow.ts";
import type { EnvironmentWatch } from "../../../src/core/watching/state.ts";
import { applySettings } from "../../../src/core/guardrails/guards.ts";
import type { Release, Tally } from "../../../src/core/types.ts";
import type { GuardrailSettings } from "../../../src/core/watch-settings.ts";
import { createRandom, type Random } from "../../../bench/guardrails/random.ts";
import { drawTallies, USUAL, type Traffic, type TrafficArm } from "../../../bench/guardrails/traffic.ts";

export const START_MS = Date.parse("2026-03-01T12:00:00.000Z");

/** Version 1 with canaries and their weights in percent. */
export function createRelease(
  revision: number,
  canaries: { [version: number]: number },
  more: Partial<Release> = {},
): Release {
  const arms = Object.entries(canaries).map(([version, weight]) => ({ version: Number(version), weight }));
  const left = arms.reduce((rest, { weight }) => rest - weight, 100);
  const baseline = more.baseline ?? 1;
  return {
    schema: 1,
    prompt: "support-bot",
    environment: "production",
    revision,
    unit: "request",
    baseline,
    arms: [{ version: baseline, weight: left }, ...arms],
    table: { revision, salt: "salt", slots: [] },
    drains: [],
    revoked: [],
    changedAt: new Date(START_MS + revision * 1_000).toISOString(),
    ...more,
  };
}

export class Watched {
  watch: EnvironmentWatch;
  release: Release;
  nowMs: number;
  news: News[] = [];
  readonly random: Random;
  settings: GuardrailSettings = {};

  constructor(release: Release, seed = 7) {
    this.watch = followRelease(null, release);
    this.release = release;
    this.nowMs = Date.parse(release.changedAt);
    this.random = createRandom(seed);
  }

  get context(): WatchContext {
    const { unit } = this.release;
    return { specs: applySettings(this.settings), unit, forcedModel: null, nowMs: this.nowMs };
  }

  follow(release: Release): void {
    this.release = release;
    this.nowMs = Math.max(this.nowMs, Date.parse(release.changedAt));
    this.watch = followRelease(this.watch, release);
  }

  /** Stored and read again on the way, as a state that survives its process. */
  report(tallies: readonly Tally[], askedModels: readonly string[] = []): Conclusion {
    this.nowMs += 1_000;
    const before = this.watch;
    const stored = JSON.parse(JSON.stringify(before)) as EnvironmentWatch;
    const next = addSeen(stored, { tallies, askedModels }, this.context);
    const conclusion = conclude(next, this.context);
    const told = takeNews(next, before, conclusion);
    this.watch = told.watch;
    this.news.push(...told.news);
    return conclusion;
  }

  /** `seconds` of `requests` each; ends early with a rollback. */
  run(
    seconds: number,
    arms: { baseline?: Partial<TrafficArm>; canary?: Partial<TrafficArm> } = {},
    more: Partial<Traffic> & { requests?: number } = {},
  ): Conclusion {
    const { requests = 50, ...rest } = more;
    const canary = this.release.arms[1];
    const traffic: Traffic = {
      revision: this.release.revision,
      versions: { baseline: this.release.baseline, canary: canary?.version ?? 0 },
      share: (canary?.weight ?? 0) / 100,
      arms: { baseline: { ...USUAL, ...arms.baseline }, canary: { ...USUAL, ...arms.canary } },
      ...rest,
    };
    let conclusion = conclude(this.watch, this.context);
    for (let second = 0; second < seconds; second += 1) {
      conclusion = this.report(drawTallies(requests, traffic, this.random));
      if (conclusion.pairs.some(({ isRollback }) => isRollback)) return conclusion;
    }
    return conclusion;
  }
}
