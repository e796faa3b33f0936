// Guardrails as they are written on the command line: `errors=notify`, `latency=rollback,0.1`, or `default` for none of
// one's own.

import { GUARDS, type GuardAction } from "../core/guardrails/guards.ts";
import type { GuardrailSettings, GuardSetting } from "../core/watch-settings.ts";

const ACTIONS: readonly GuardAction[] = ["rollback", "notify", "off"];

/** null: the defaults again. A text says what is wrong. */
export function parseGuards(texts: readonly string[]): GuardrailSettings | null | string {
  if (texts.includes("default")) return texts.length === 1 ? null : "--guard default stands alone.";
  const settings: GuardrailSettings = {};
  for (const text of texts) {
    const [, name = "", action = "", tolerance] = /^([a-z_]+)=([a-z]*)(?:,(.+))?$/.exec(text) ?? [];
    const spec = GUARDS.find(({ metric }) => metric === name);
    if (spec === undefined) {
      const known = GUARDS.map(({ metric }) => metric).join(", ");
      return `--guard "${text}": write METRIC=ACTION or METRIC=ACTION,TOLERANCE; the metrics are ${known}.`;
    }
    const setting = parseSetting(action, tolerance);
    if (setting === null) {
      return `--guard "${text}": ${name} is to be one of ${ACTIONS.join(", ")}, and a tolerance is a number.`;
    }
    settings[spec.metric] = setting;
  }
  return settings;
}

function parseSetting(action: string, tolerance: string | undefined): GuardSetting | null {
  const known = ACTIONS.find((one) => one === action);
  const number = tolerance === undefined ? undefined : Number(tolerance);
  if (known === undefined || Number.isNaN(number)) return null;
  return { action: known, ...(number !== undefined && { tolerance: number }) };
}

/** "errors=notify latency=rollback,0.1" */
export function describeGuards(settings: GuardrailSettings): string {
  return Object.entries(settings)
    .map(([metric, { action = "default", tolerance }]) => {
      return `${metric}=${action}${tolerance === undefined ? "" : `,${tolerance}`}`;
    })
    .join(" ");
}
