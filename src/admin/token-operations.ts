// Lines of the table of operations: tokens of the control plane, and who is calling.

import * as z from "zod";
import { isOwnName } from "../core/actors.ts";
import { BODY_PROBLEMS, noParams, noQuery, type Operation } from "./operation.ts";
import { actorSchema, mintedTokenSchema, role, tokenSchema } from "./schemas.ts";

export const tokenOperations = {
  whoami: {
    id: "whoami",
    group: "Access",
    method: "GET",
    path: "/admin/whoami",
    summary: "Who is calling",
    description: "Name and role of the token.",
    role: "viewer",
    params: noParams,
    query: noQuery,
    body: null,
    response: actorSchema,
    statuses: { success: [200], problems: [] },
    writes: false,
    environmentIn: null,
    example: { path: "/admin/whoami" },
  },
  listTokens: {
    id: "listTokens",
    group: "Access",
    method: "GET",
    path: "/admin/tokens",
    summary: "List tokens",
    description: "Names, roles and dates; never the tokens themselves.",
    role: "admin",
    params: noParams,
    query: noQuery,
    body: null,
    response: z.object({ tokens: z.array(tokenSchema) }),
    statuses: { success: [200], problems: [] },
    writes: false,
    environmentIn: null,
    example: { path: "/admin/tokens" },
  },
  mintToken: {
    id: "mintToken",
    group: "Access",
    method: "POST",
    path: "/admin/tokens",
    summary: "Mint a token",
    description:
      "The token is in this answer and nowhere else: only its SHA-256 is kept. Hence a repeated call mints another one.",
    role: "admin",
    params: noParams,
    query: noQuery,
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9 _.@-]{0,63}$/, "must be 1 to 64 letters, digits, spaces or _.@-")
        .refine(
          (name) => !isOwnName(name),
          "is what Switchback itself signs the audit log with: choose another name",
        )
        .describe("Who will use it; it signs the audit log."),
      role,
      expiresAt: z.iso
        .datetime({ offset: true })
        .nullable()
        .default(null)
        .describe("When it stops working; null: never."),
    }),
    response: mintedTokenSchema,
    statuses: { success: [201], problems: ["conflict", ...BODY_PROBLEMS] },
    writes: true,
    environmentIn: null,
    example: { path: "/admin/tokens", body: { name: "ci", role: "releaser" } },
  },
  revokeToken: {
    id: "revokeToken",
    group: "Access",
    method: "DELETE",
    path: "/admin/tokens/:id",
    summary: "Revoke a token",
    description: "It stops working with the next request. Repeating it changes nothing.",
    role: "admin",
    params: z.strictObject({
      id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be the id of a token"),
    }),
    query: noQuery,
    body: null,
    response: tokenSchema,
    statuses: { success: [200], problems: ["token_not_found"] },
    writes: true,
    environmentIn: null,
    example: { path: "/admin/tokens/tok_1" },
  },
} as const satisfies Record<string, Operation>;
