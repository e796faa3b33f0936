// The judge as people see it: how it is set, and what it has done and cost, day by day.

import type { JudgeSettings } from "./watch-settings.ts";

/** A UTC day: answers that a judge was asked about, those that it gave no score, and what asking cost. */
export type JudgeDay = { day: string; answers: number; failures: number; nanoUsd: number };

/** `days`: newest first, 31 at most. */
export type JudgeView = { judge: JudgeSettings | null; days: JudgeDay[] };
