// The documentation of what goes out: every column in the place that it has, and every name that Prometheus gets.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeBounds, describeReleases } from "../../src/admin/prometheus.ts";
import { BLOBS, DOUBLES } from "../../src/edge/data-point.ts";

const DOCS = readFileSync(join(import.meta.dirname, "../../docs/telemetry.md"), "utf8");

describe("docs/telemetry.md", () => {
  it("has each column of Analytics Engine in its place", () => {
    const columns = [
      ...BLOBS.map((name, index) => `\`blob${index + 1}\` ${name} `),
      ...DOUBLES.map((name, index) => `\`double${index + 1}\` ${name} `),
    ];
    expect(columns.filter((column) => !DOCS.includes(`| ${column}`))).toEqual([]);
  });

  it("has each family of Prometheus in a table, and no other", () => {
    const families = [...describeReleases([]), ...describeBounds({ skipped: 0, failed: 0 })];
    const names = families.map(({ name }) => name);
    const tables = DOCS.split("\n").filter((line) => line.startsWith("| `switchback_"));
    const told = tables.flatMap((line) =>
      [...line.matchAll(/`(switchback_[a-z_]+)`/g)].map(([, name]) => name!),
    );
    expect(told.toSorted()).toEqual(names.toSorted());
  });
});
