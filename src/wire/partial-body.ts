// A body that goes up while it still comes in. The list that most of it is passes as it is; what stands before it and
// behind it makes a small body of its own, with the list cut short, which the format scans and plans like every other: so
// nothing is said twice about where a prompt goes. What is inserted as a member of the body goes in at its end, when it
// is known that the caller did not send it. Equal to scan and inject of the whole body, or refused before its end
// (guarantee 4): test/wire/partial-body.test.ts.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { JsonFlow, type Cut } from "./json-flow.ts";
import { scanJson } from "./json-scan.ts";
import { firstChild, isSame, itemFrom, nextSibling, NONE, ROOT, valueTo } from "./json-tree.ts";
import { joinBytes } from "./json-write.ts";
import { splice, type Patch } from "./splice.ts";
import type { FlowFault, Skips } from "./string-flow.ts";
import type { Pieces, Resource, Scan, WireFormat } from "./wire.ts";

const COMMA = Uint8Array.of(0x2c);
const CLOSE = Uint8Array.of(0x7d);

export class PartialBody {
  /** What is known so far; the list in it is cut short. */
  readonly scan: Scan;
  private readonly format: WireFormat;
  private readonly resource: Resource | null;
  private readonly flow: JsonFlow;
  private readonly head: Uint8Array;
  private readonly cut: Cut;
  /** How far beyond the cut has been read. */
  private ahead: number;
  private sent: readonly Patch[] = [];
  /** Once begun: unless the caller names something a second time, nothing of the version's is left to be put in. */
  isSettled = false;

  constructor(
    format: WireFormat,
    resource: Resource | null,
    flow: JsonFlow,
    opened: { scan: Scan; head: Uint8Array; cut: Cut; ahead: number },
  ) {
    this.format = format;
    this.resource = resource;
    this.flow = flow;
    this.scan = opened.scan;
    this.head = opened.head;
    this.cut = opened.cut;
    this.ahead = opened.ahead;
  }

  /** The beginning as it goes up; null: what comes later may change it. */
  begin(prepared: Pieces): Uint8Array | Problem | null {
    const { head, cut, format } = this;
    if (format.stream === null || !format.stream.isSettled(this.scan, prepared)) return null;
    const patches = planAtEnd(format, this.scan, prepared);
    if (isProblem(patches)) return patches;
    const end = this.scan.body.length - 1;
    this.sent = patches.filter(({ to }) => to <= cut.at);
    if (!patches.every(({ from, to }) => (to <= cut.at && from < cut.at) || from === end)) return null;
    this.isSettled = patches.length === this.sent.length;
    return splice(head, this.sent);
  }

  /** What of the received bytes stands behind the beginning: the first chunk to `pass`. */
  rest(received: Uint8Array): Uint8Array {
    return received.subarray(this.cut.at);
  }

  /** Where in the chunk the list ends: what stands before goes up as it is, the rest is kept for `end`. */
  pass(chunk: Uint8Array): number | Problem {
    const at = this.flow.read(chunk, this.ahead);
    this.ahead = 0;
    return at < 0 ? explain(this.flow.fault ?? "malformed", this.format) : at;
  }

  /** All that is known at the end, but for the list. `tail`: from the list's last byte on. */
  close(tail: Uint8Array): Scan | Problem {
    const { head, flow, format } = this;
    const body = joinBytes([head, flow.closers, tail]);
    const scan = format.scan(body, this.resource);
    if (!isProblem(scan) || scan.field !== undefined) return scan;
    return problem("invalid_request", `The body is not valid JSON behind its ${listOf(format)}.`);
  }

  /** The end as it goes up. */
  end(scan: Scan, prepared: Pieces, tail: Uint8Array): Uint8Array | Problem {
    const patches = planAtEnd(this.format, scan, prepared);
    if (isProblem(patches)) return patches;
    const tailFrom = this.cut.at + this.flow.closers.length;
    const before = patches.filter(({ to }) => to <= this.cut.at);
    const behind = patches.filter(({ from }) => from >= tailFrom);
    const isWhole = before.length + behind.length === patches.length;
    if (!isWhole || !areSame(before, this.sent)) {
      return problem(
        "invalid_request",
        `What stands behind the ${listOf(this.format)} contradicts what stands before: name every member once.`,
      );
    }
    const moved = behind.map(({ from, to, bytes }) => ({ from: from - tailFrom, to: to - tailFrom, bytes }));
    return splice(tail, moved);
  }
}

/** `leastBytes`: how much of the list is looked at, if it goes on for so long. null: the list is not open where the
 * head ends, or the format has no such list. */
export function openBody(
  format: WireFormat,
  resource: Resource | null,
  head: Uint8Array,
  leastBytes: number,
  skips: Skips | null,
): PartialBody | null {
  if (format.stream === null) return null;
  const { list, watched } = format.stream;
  const flow = new JsonFlow(list.bytes, watched?.bytes ?? null, skips);
  const readTo = flow.open(head, leastBytes);
  const { cut } = flow;
  if (readTo < 0 || cut === null) return null;
  const begun = head.slice(0, cut.at);
  const body = joinBytes([begun, flow.closers, flow.closer, CLOSE]);
  const scan = format.scan(body, resource);
  if (isProblem(scan) || scan.passes === true) return null;
  return new PartialBody(format, resource, flow, { scan, head: begun, cut, ahead: readTo - cut.at });
}

/** As the format plans it, but with new members of the body at its end and not at its beginning. */
export function planAtEnd(format: WireFormat, scan: Scan, prepared: Pieces): Patch[] | Problem {
  const patches = format.plan(scan, prepared);
  if (isProblem(patches)) return patches;
  const tree = scanJson(scan.body, []);
  if (isProblem(tree)) return tree;
  let first = firstChild(tree, ROOT);
  const isRemoved = (at: number) => patches.some(({ from, to }) => from <= at && at < to);
  while (first !== NONE && isRemoved(itemFrom(tree, first))) first = nextSibling(tree, ROOT, first);
  if (first === NONE) return patches;
  const place = itemFrom(tree, first);
  const isMember = ({ from, to }: Patch) => from === place && to === place;
  const end = valueTo(tree, ROOT) - 1;
  // Each stands with a comma behind it, and gets one before it.
  const members = patches.filter(isMember).filter((_, index) => index % 2 === 0);
  const moved = members.flatMap(({ bytes }) =>
    [COMMA, bytes].map((part) => ({ from: end, to: end, bytes: part })),
  );
  return [...patches.filter((patch) => !isMember(patch)), ...moved];
}

function areSame(some: readonly Patch[], others: readonly Patch[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ from, to, bytes }, index) => {
      const other = others[index]!;
      return from === other.from && to === other.to && isSame(bytes, other.bytes);
    })
  );
}

function listOf({ stream }: WireFormat): string {
  return stream?.list.text ?? "list";
}

function explain(fault: FlowFault, format: WireFormat): Problem {
  const list = listOf(format);
  switch (fault) {
    case "malformed":
      return problem("invalid_request", `The body is not valid JSON within its ${list}.`);
    case "too_deep":
      return problem("invalid_request", `The ${list} of the body nest too deep.`);
    case "not_utf8":
      return problem("invalid_request", "The body is not valid UTF-8.");
    case "repeated":
      return problem(
        "invalid_request",
        `An item of ${list} names its ${format.stream?.watched?.text} twice.`,
      );
  }
}
