// What is shipped: its size.

import { expect, test } from "vitest";
import { BUNDLE_BUDGET_BYTES } from "../../scripts/build.ts";
import { readBuild } from "../support/build.ts";

test("the Worker stays within its size budget", () => {
  expect(readBuild().gzipBytes).toBeLessThan(BUNDLE_BUDGET_BYTES);
});
