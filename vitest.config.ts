import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", "test/sdks/**", "node_modules/**"],
    globalSetup: ["test/support/build.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most suites start workerd; two at a time keep a two-core machine honest.
    maxWorkers: 2,
  },
});
