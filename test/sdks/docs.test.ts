// docs/sdks.md says what the suites here run, to the letter: its tables stand between markers and are made from the
// definitions. `npm run test:sdks -- -u` writes them anew.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CALLS } from "./clients/client.ts";
import { CLIENTS } from "./clients/index.ts";
import { PROMPT_CELLS } from "./prompts.ts";
import {
  columnsOf,
  renderClients,
  renderDifferences,
  renderErrors,
  renderMatrix,
  renderScenarios,
} from "./table.ts";

const PAGE = join(import.meta.dirname, "../../docs/sdks.md");

const calls: string[] = Object.values(CALLS);
const prompts: string[] = Object.values(PROMPT_CELLS);
const faults = [...columnsOf().keys()].filter((name) => !calls.includes(name) && !prompts.includes(name));

const SECTIONS: Record<string, () => string> = {
  clients: () => renderClients(CLIENTS),
  calls: () => renderMatrix(CLIENTS, calls),
  scenarios: renderScenarios,
  faults: () => renderMatrix(CLIENTS, faults),
  prompts: () => renderMatrix(CLIENTS, prompts),
  errors: () => renderErrors(CLIENTS),
  differences: renderDifferences,
};

test("docs/sdks.md is what is tested", async () => {
  const page = readFileSync(PAGE, "utf8");
  const found: string[] = [];
  const made = page.replace(/<!-- (\w+) -->[^]*?<!-- end -->/g, (_, name: string) => {
    found.push(name);
    const section = SECTIONS[name];
    if (section === undefined) throw new Error(`docs/sdks.md has a section that nobody makes: ${name}`);
    return `<!-- ${name} -->\n\n${section()}\n\n<!-- end -->`;
  });
  expect(found.toSorted()).toEqual(Object.keys(SECTIONS).toSorted());
  await expect(made).toMatchFileSnapshot(PAGE);
});
