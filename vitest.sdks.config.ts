import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/sdks/**/*.test.ts"],
    globalSetup: ["test/sdks/setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: ["default", "./test/sdks/reporter.ts"],
  },
});
