// watch: releases and counters, second by second: on a screen redrawn in place, elsewhere one line per change. Once it
// runs it outlives a control plane that is out of reach: that is when somebody is watching.

import { isRefusal, type Refusal } from "../client.ts";
import {
  numberOf,
  refused,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { formatProblem } from "../show/problem.ts";
import { formatFrame, formatSnapshotLine, type Moment } from "../show/watch.ts";
import { readServedPrompts, readSnapshot, readSnapshots, type Snapshot } from "./observe.ts";

const INTERVAL_SECONDS = 1;
/** The other screen of the terminal: what stood there before comes back at the end. */
const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

export const watchCommand: CommandSpec = {
  name: "watch",
  summary: "watch releases and counters live, until Ctrl-C",
  arguments: [{ name: "PROMPT", kind: "prompt", optional: true }],
  options: [{ name: "interval", kind: "seconds", value: "SECONDS", help: "between two looks; default: 1" }],
  details:
    "Not on a terminal: one line per change. --json: one line {at, releases: [{release, metrics}]} per look.",
  examples: [
    "switchback watch",
    "switchback watch support-bot --interval 5",
    "switchback watch --json | jq .",
  ],
  run: runWatch,
};

type View = { show(moment: Moment, earlier: Moment | null): void; end(): void };

async function runWatch(invocation: Invocation, context: Context): Promise<Outcome> {
  const { machine } = context;
  const signal = machine.catchInterrupt();
  const watching = { ...context, client: context.client.with({ signal, onRetry: () => {} }) };
  const prompt = textOf(invocation, "PROMPT");
  const intervalMs = (numberOf(invocation, "interval") ?? INTERVAL_SECONDS) * 1000;
  const first = await look(watching, prompt);
  if (signal.aborted) return { outcome: "ended" };
  if (isRefusal(first)) return refused(first);
  const view = openView(context);
  let shown: Moment = { atMs: machine.nowMs(), watched: first, problem: null };
  view.show(shown, null);
  while (!signal.aborted) {
    await machine.sleep(Math.max(0, shown.atMs + intervalMs - machine.nowMs()), signal);
    if (signal.aborted) break;
    const next = await look(watching, prompt);
    if (signal.aborted) break;
    const moment = toMoment(next, shown, machine.nowMs());
    view.show(moment, shown);
    shown = moment;
  }
  view.end();
  return { outcome: "ended" };
}

async function look(context: Context, prompt: string | undefined): Promise<Snapshot[] | Refusal> {
  if (prompt !== undefined) {
    const snapshot = await readSnapshot(context, prompt, true);
    return isRefusal(snapshot) ? snapshot : [snapshot];
  }
  const names = await readServedPrompts(context);
  return Array.isArray(names) ? readSnapshots(context, names, true) : names;
}

function toMoment(seen: Snapshot[] | Refusal, earlier: Moment, atMs: number): Moment {
  if (isRefusal(seen)) return { atMs, watched: earlier.watched, problem: seen.problem };
  return { atMs, watched: seen, problem: null };
}

function openView(context: Context): View {
  if (context.json) return openJsonView(context);
  return context.machine.live ? openScreenView(context) : openLineView(context);
}

function openScreenView({ machine, noColour }: Context): View {
  machine.writeOut(ENTER_SCREEN);
  return {
    show(moment, earlier) {
      // The width is asked for anew every time: people resize terminals.
      const lines = formatFrame(machine.look(noColour), moment, earlier);
      machine.writeOut(HOME + lines.map((line) => line + CLEAR_LINE_END).join("\n") + CLEAR_BELOW);
    },
    end: () => machine.writeOut(LEAVE_SCREEN),
  };
}

function openLineView({ machine, look: lineLook }: Context): View {
  const last = new Map<string, string>();
  return {
    show(moment, earlier) {
      const clock = new Date(moment.atMs).toISOString();
      if (moment.problem !== null && earlier?.problem == null) {
        machine.writeError(`${clock}  ${formatProblem(lineLook, moment.problem, []).join("\n")}\n`);
      }
      for (const watched of moment.watched) {
        const line = formatSnapshotLine(lineLook, watched);
        if (last.get(watched.release.prompt) === line) continue;
        last.set(watched.release.prompt, line);
        machine.writeOut(`${clock}  ${line}\n`);
      }
    },
    end: () => {},
  };
}

function openJsonView({ machine }: Context): View {
  return {
    show(moment) {
      const at = new Date(moment.atMs).toISOString();
      const releases = moment.watched.map(({ release, metrics }) => ({ release, metrics }));
      const problem = moment.problem === null ? {} : { problem: moment.problem };
      machine.writeOut(`${JSON.stringify({ at, releases, ...problem })}\n`);
    },
    end: () => {},
  };
}
