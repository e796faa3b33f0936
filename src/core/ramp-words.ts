// Times of a ramp in words, for reasons in the audit log and for what it waits for.

const UNITS = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/** "24 h", "10 m", "1 h 30 m", "300 ms": the two largest units, rounded up, so that what is to come is never "0 s". */
export function describeMs(ms: number): string {
  const at = UNITS.findIndex((unit) => ms >= (unit.name === "d" ? 2 * unit.ms : unit.ms));
  if (at < 0) return `${Math.max(0, Math.ceil(ms))} ms`;
  const unit = UNITS[at]!;
  const smaller = UNITS[at + 1];
  if (smaller === undefined) return `${Math.ceil(ms / unit.ms)} ${unit.name}`;
  const parts = Math.ceil(ms / smaller.ms);
  const perUnit = unit.ms / smaller.ms;
  const [whole, rest] = [Math.floor(parts / perUnit), parts % perUnit];
  return rest === 0 ? `${whole} ${unit.name}` : `${whole} ${unit.name} ${rest} ${smaller.name}`;
}
