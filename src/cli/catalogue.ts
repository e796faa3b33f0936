// All commands, in the order of the help: what an emergency needs first comes first.

import type { CommandSpec } from "./command.ts";
import { createHelpCommand, openCommand, versionCommand } from "./commands/about.ts";
import { diagnoseCommand } from "./commands/diagnose.ts";
import { feedbackCommand, rateCommand } from "./commands/feedback.ts";
import { keysCreateCommand, keysListCommand, keysRevokeCommand, providersCommand } from "./commands/keys.ts";
import { judgeCommand } from "./commands/judge.ts";
import { explainCommand, logCommand, statusCommand } from "./commands/observe.ts";
import { archiveCommand, createCommand, listCommand } from "./commands/prompts.ts";
import { rampShowCommand, rampStartCommand, rampTurnCommands } from "./commands/ramp.ts";
import { canaryCommand, promoteCommand } from "./commands/releases.ts";
import { renderCommand } from "./commands/render.ts";
import { revokeCommand, rollbackCommand } from "./commands/rollback.ts";
import { tokensCreateCommand, tokensListCommand, tokensRevokeCommand } from "./commands/tokens.ts";
import { diffCommand, pushCommand, showCommand, versionsCommand } from "./commands/versions.ts";
import { watchCommand } from "./commands/watch.ts";

export const helpCommand: CommandSpec = createHelpCommand(() => CATALOGUE);

export const CATALOGUE: CommandSpec[] = [
  statusCommand,
  rollbackCommand,
  canaryCommand,
  promoteCommand,
  rampStartCommand,
  ...rampTurnCommands,
  rampShowCommand,
  revokeCommand,
  watchCommand,
  diagnoseCommand,
  logCommand,
  explainCommand,
  feedbackCommand,
  rateCommand,
  pushCommand,
  versionsCommand,
  showCommand,
  diffCommand,
  renderCommand,
  listCommand,
  createCommand,
  judgeCommand,
  archiveCommand,
  keysListCommand,
  keysCreateCommand,
  keysRevokeCommand,
  providersCommand,
  tokensListCommand,
  tokensCreateCommand,
  tokensRevokeCommand,
  openCommand,
  helpCommand,
  versionCommand,
];
