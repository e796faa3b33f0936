// The text that Prometheus scrapes (exposition format 0.0.4): families of samples in, text out. Pure. Guarantee: whatever
// stands in a label, a line stays one line, and a family is written once.

export type Labels = { [name: string]: string };

/** `suffix`: of a histogram's parts, `_bucket`, `_sum`, `_count`. */
export type Sample = { suffix?: string; labels: Labels; value: number };

export type Family = {
  name: string;
  type: "counter" | "gauge" | "histogram";
  help: string;
  samples: Sample[];
};

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A family's lines, without those that tell what it is. */
export type Written = { name: string; head: string; lines: string };

/** Families without a sample are left out: their absence says that nobody knows. */
export function writeSamples(families: Family[]): Written[] {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => ({
      name,
      head: `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`,
      lines: samples.map((sample) => writeSample(name, sample)).join(""),
    }));
}

/** Together, each family's lines in one place, as the format asks for. */
export function joinWritten(written: Written[]): string {
  const byName = new Map<string, string[]>();
  for (const { name, head, lines } of written) {
    const held = byName.get(name);
    if (held === undefined) byName.set(name, [head, lines]);
    else held.push(lines);
  }
  return [...byName.values()].flat().join("");
}

function writeSample(name: string, { suffix = "", labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  const written = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${name}${suffix}${written} ${writeValue(value)}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function writeValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
