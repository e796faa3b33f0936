// Lines of the table of operations: proxy keys, which applications put in the place of a provider's key, and the
// providers that this deployment can reach with them.

import { isOwnName } from "../core/actors.ts";
import * as z from "zod";
import { environmentSchema } from "../core/prompt-settings.ts";
import { PROVIDER_PATTERN } from "../core/providers.ts";
import { BODY_PROBLEMS, noParams, noQuery, promptName, type Operation } from "./operation.ts";
import { keySchema, keyUse, mintedKeySchema, providerSchema } from "./schemas.ts";

const MOST_IN_A_SCOPE = 100;

const scopeOf = (name: z.ZodType<string>) => z.array(name).max(MOST_IN_A_SCOPE).default([]);

export const keyOperations = {
  listKeys: {
    id: "listKeys",
    group: "Proxy keys",
    method: "GET",
    path: "/admin/keys",
    summary: "List proxy keys",
    description:
      "Names, scopes, dates, and when each was last used (within a minute or so); never the keys themselves.",
    role: "admin",
    params: noParams,
    query: noQuery,
    body: null,
    response: z.object({ keys: z.array(keySchema) }),
    statuses: { success: [200], problems: [] },
    writes: false,
    environmentIn: null,
    example: { path: "/admin/keys" },
  },
  mintKey: {
    id: "mintKey",
    group: "Proxy keys",
    method: "POST",
    path: "/admin/keys",
    summary: "Mint a proxy key",
    description:
      "An application puts it wherever its SDK takes the provider's API key; the Worker puts the provider's own secret in its place. The key is in this answer and nowhere else: only its SHA-256 is kept. Hence a repeated call mints another one.",
    role: "admin",
    params: noParams,
    query: noQuery,
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9 _.@-]{0,63}$/, "must be 1 to 64 letters, digits, spaces or _.@-")
        .refine((name) => !isOwnName(name), "is what Switchback itself signs with: choose another name")
        .describe("Who will use it; it signs feedback."),
      use: keyUse
        .default("all")
        .describe(
          "`all`: whatever its scope covers. `feedback`: `POST /feedback` and nothing else, for what may stand in a web page or an app; it takes neither `providers` nor `passThrough`.",
        ),
      prompts: scopeOf(promptName).describe("The prompts that it may be used for; none named: all of them."),
      environments: scopeOf(environmentSchema).describe(
        "The environments that a prompt may be asked for in; none named: all.",
      ),
      providers: scopeOf(z.string().regex(PROVIDER_PATTERN, "must be the name of a provider")).describe(
        "The providers that it may be used with; none named: all.",
      ),
      passThrough: z
        .boolean()
        .nullable()
        .default(null)
        .describe(
          "May it be used for requests that no prompt is put into: turns that name none, embeddings, files, lists of models? null: yes, unless `prompts` narrows it.",
        ),
      requestsPerMinute: z
        .int()
        .min(1)
        .nullable()
        .default(null)
        .describe(
          "One of the limits that the deployment has (bindings RATE_LIMIT_60, …), counted per Cloudflare location; null: no limit.",
        ),
      expiresAt: z.iso
        .datetime({ offset: true })
        .nullable()
        .default(null)
        .describe("When it stops working; null: never."),
    }),
    response: mintedKeySchema,
    statuses: {
      success: [201],
      problems: ["conflict", "prompt_not_found", "provider_not_found", ...BODY_PROBLEMS],
    },
    writes: true,
    environmentIn: null,
    example: { path: "/admin/keys", body: { name: "checkout", prompts: ["support-bot"] } },
  },
  revokeKey: {
    id: "revokeKey",
    group: "Proxy keys",
    method: "DELETE",
    path: "/admin/keys/:id",
    summary: "Revoke a proxy key",
    description:
      "Every isolate that can reach the Registry refuses it within the lease (2 s); one that cannot goes on taking a key that it has confirmed within `KEY_GRACE_MS` (10 minutes; 0: not at all). Repeating it changes nothing.",
    role: "admin",
    params: z.strictObject({
      id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be the id of a proxy key"),
    }),
    query: noQuery,
    body: null,
    response: keySchema,
    statuses: { success: [200], problems: ["key_not_found"] },
    writes: true,
    environmentIn: null,
    example: { path: "/admin/keys/key_1" },
  },
  listProviders: {
    id: "listProviders",
    group: "Proxy keys",
    method: "GET",
    path: "/admin/providers",
    summary: "List providers",
    description:
      "Each provider that is built in or configured (`UPSTREAM_…`): its host, whether the Worker holds a secret for it (never the secret), what can be done with it, and what is wrong with its configuration.",
    role: "viewer",
    params: noParams,
    query: noQuery,
    body: null,
    response: z.object({ providers: z.array(providerSchema) }),
    statuses: { success: [200], problems: [] },
    writes: false,
    environmentIn: null,
    example: { path: "/admin/providers" },
  },
} as const satisfies Record<string, Operation>;
