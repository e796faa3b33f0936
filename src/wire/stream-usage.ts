// Usage that a chat's stream reports only where the request asks for it. Where the deployment wants it (STREAM_USAGE) and
// the caller has said nothing about it, `stream_options.include_usage` goes into the body with the version, and the chunk
// that it brings is taken out again on the way down (usage-filter.ts). Whoever has said something is left alone.

import { encodeUtf8 } from "../core/text.ts";
import { findMembers, kindOf, nameOf, ROOT, type Tree } from "./json-tree.ts";
import type { Setting, Settings } from "./settings.ts";
import type { Scan } from "./wire.ts";

const STREAM_OPTIONS = nameOf("stream_options");
const INCLUDE_USAGE = nameOf("include_usage");

const ASKED: Setting = {
  spellings: [[STREAM_OPTIONS, INCLUDE_USAGE]],
  value: encodeUtf8("true"),
  mode: "forced",
};

/** The stream has not been asked to report usage, nor not to: every `stream_options` is null or an object in which
 * `include_usage` is null or missing. */
export function isUsageOpen({ stream, spans }: Scan<Tree>): boolean {
  return stream && areOptionsOpen(spans);
}

function areOptionsOpen(tree: Tree): boolean {
  return findMembers(tree, ROOT, STREAM_OPTIONS).every((options) => {
    const kind = kindOf(tree, options);
    if (kind !== "object") return kind === "null";
    return findMembers(tree, options, INCLUDE_USAGE).every((member) => kindOf(tree, member) === "null");
  });
}

/** The settings for this request. */
export function askForUsage(settings: Settings, scan: Scan<Tree>): Settings {
  if (!settings.asksUsage || !isUsageOpen(scan)) return settings;
  return { ...settings, list: [...settings.list, ASKED] };
}

/** Of a body that is still coming: would a `stream` behind the messages change what stands before them? */
export function isAskSettled(settings: Settings, { stream, spans }: Scan<Tree>): boolean {
  if (!settings.asksUsage || stream) return true;
  return findMembers(spans, ROOT, STREAM_OPTIONS).length === 0 || !areOptionsOpen(spans);
}
