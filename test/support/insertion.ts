// Whether one text is another with one insertion: what "the caller's bytes are kept" means where a prompt was put in.

/** What stands in `after` and not in `before`, when that is one insertion (an empty one, too); else null. */
export function insertionOf(before: Buffer, after: Buffer): string | null {
  const added = after.length - before.length;
  if (added < 0) return null;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const restIsSame = before.subarray(same).equals(after.subarray(same + added));
  return restIsSame ? after.toString("utf8", same, same + added) : null;
}
