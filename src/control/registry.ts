// The one Registry object: the list of prompts, who owns which name, minted tokens and proxy keys. It stands beside the request path;
// while it is down prompts are served, rolled back and pushed as ever, and their objects tell it later.
// Why an object and not a KV list: KV's list lags behind by a minute or more, so a prompt just put would not be
// listed, and two prompts could take one alias. Here both are decided by one writer.

import { DurableObject } from "cloudflare:workers";
import {
  MOST_KEYS_A_CHECK,
  type KeyGrant,
  type KeyScope,
  type ProxyKey,
  type RegistryPort,
  type Token,
} from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Prompt, Role } from "../core/types.ts";
import type { Env } from "../env.ts";
import { createDurableSql } from "./durable-sql.ts";
import { addKey, checkKey, isInForce, listKeys, markKeyRevoked } from "./registry-keys.ts";
import { claimNames, resolveName } from "./registry-names.ts";
import {
  addToken,
  createRegistryTables,
  findToken,
  keepSummary,
  listPrompts,
  listTokens,
  markTokenRevoked,
} from "./registry-store.ts";
import type { Sql } from "./sql.ts";

export class Registry extends DurableObject<Env> implements RegistryPort {
  readonly #sql: Sql;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = createDurableSql(ctx.storage);
    createRegistryTables(this.#sql);
  }

  async list({ includeArchived }: { includeArchived: boolean }): Promise<Prompt[]> {
    return listPrompts(this.#sql, includeArchived);
  }

  async upsert(prompt: Prompt, order: number): Promise<void> {
    keepSummary(this.#sql, prompt, order);
  }

  async claim(prompt: string, aliases: string[]): Promise<Problem | null> {
    return claimNames(this.#sql, prompt, aliases, Date.now, async (other, name) => {
      const found = await this.env.CONTROL.getByName(other).readPrompt();
      if (isProblem(found)) return found.problem !== "prompt_not_found";
      return found.name === name || found.aliases.includes(name);
    });
  }

  async resolve(alias: string): Promise<string | null> {
    return resolveName(this.#sql, alias);
  }

  async mint(input: {
    name: string;
    role: Role;
    expiresAt: string | null;
    createdBy: string;
    hash: string;
  }): Promise<Token | Problem> {
    const { hash, ...given } = input;
    const createdAt = new Date().toISOString();
    const token = { id: crypto.randomUUID(), ...given, createdAt, revokedAt: null };
    if (addToken(this.#sql, hash, token)) return token;
    return problem("conflict", "This token exists already. Mint another one.");
  }

  async tokens(): Promise<Token[]> {
    return listTokens(this.#sql);
  }

  async revokeToken(id: string): Promise<Token | Problem> {
    return (
      markTokenRevoked(this.#sql, id, Date.now()) ??
      problem("token_not_found", `There is no token with the id "${id}".`)
    );
  }

  async authenticate(hash: string): Promise<Token | null> {
    const token = findToken(this.#sql, hash);
    return token !== null && isInForce(token, Date.now()) ? token : null;
  }

  async mintKey(
    input: KeyScope & { name: string; expiresAt: string | null; createdBy: string; hash: string },
  ): Promise<ProxyKey | Problem> {
    const { hash, ...given } = input;
    const createdAt = new Date().toISOString();
    const key = { id: crypto.randomUUID(), ...given, createdAt, revokedAt: null };
    if (addKey(this.#sql, hash, key)) return { ...key, lastUsedAt: null };
    return problem("conflict", "This key exists already. Mint another one.");
  }

  async keys(): Promise<ProxyKey[]> {
    return listKeys(this.#sql);
  }

  async revokeKey(id: string): Promise<ProxyKey | Problem> {
    return (
      markKeyRevoked(this.#sql, id, Date.now()) ??
      problem("key_not_found", `There is no proxy key with the id "${id}".`)
    );
  }

  async checkKeys(hashes: string[]): Promise<(KeyGrant | null)[]> {
    const nowMs = Date.now();
    return hashes.slice(0, MOST_KEYS_A_CHECK).map((hash) => checkKey(this.#sql, hash, nowMs));
  }
}
