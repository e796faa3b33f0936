// Calls to the admin API from the browser. An expected failure is a value (`{problem}`), the server's own
// application/problem+json where there is one. A write carries If-Match (so that nobody's change is overwritten
// unseen) and an Idempotency-Key (so that a repeated click or a lost answer counts once).

export type ApiProblem = {
  /** 0: no answer came at all. */
  status: number;
  code: string;
  title: string;
  detail: string;
  field?: string;
  errors?: { field: string; message: string }[];
  current?: number;
};

export type Failed = { problem: ApiProblem };
export type Answered<Body> = { body: Body; serverTimeMs: number | null };
export type Reply<Body> = Answered<Body> | Failed;

export type Write = { body: object; ifMatch: number | null; idempotencyKey: string };

export type Api = {
  read<Body>(path: string): Promise<Reply<Body>>;
  write<Body>(path: string, write: Write): Promise<Reply<Body>>;
};

export function failed<Body>(reply: Reply<Body>): reply is Failed {
  return "problem" in reply;
}

/** 128 random bits; unlike crypto.randomUUID also on a page that was not loaded over https. */
export function newIdempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

export function createApi(token: string): Api {
  return {
    read: (path) => send(path, { headers: { authorization: `Bearer ${token}` } }),
    write: (path, { body, ifMatch, idempotencyKey }) => {
      const headers: Record<string, string> = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "idempotency-key": idempotencyKey,
      };
      if (ifMatch !== null) headers["if-match"] = `"${ifMatch}"`;
      return send(path, { method: "POST", headers, body: JSON.stringify(body) });
    },
  };
}

async function send<Body>(path: string, init: RequestInit): Promise<Reply<Body>> {
  try {
    const response = await fetch(path, { ...init, cache: "no-store", signal: AbortSignal.timeout(20_000) });
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) return { problem: readProblem(response.status, body) };
    if (body === null) return { problem: unreadable(response.status) };
    const date = Date.parse(response.headers.get("date") ?? "");
    return { body: body as Body, serverTimeMs: Number.isNaN(date) ? null : date };
  } catch {
    return {
      problem: {
        status: 0,
        code: "unreachable",
        title: "The control plane does not answer",
        detail: "Check that it runs and that this page can reach it, then try again.",
      },
    };
  }
}

function readProblem(status: number, body: unknown): ApiProblem {
  if (typeof body !== "object" || body === null || !("code" in body)) return unreadable(status);
  const fields = body as Partial<ApiProblem>;
  return {
    status,
    code: String(fields.code),
    title: fields.title ?? `HTTP ${status}`,
    detail: fields.detail ?? "",
    ...(fields.field === undefined ? {} : { field: fields.field }),
    ...(Array.isArray(fields.errors) ? { errors: fields.errors } : {}),
    ...(typeof fields.current === "number" ? { current: fields.current } : {}),
  };
}

function unreadable(status: number): ApiProblem {
  return {
    status,
    code: "unreadable",
    title: `The control plane answered HTTP ${status}`,
    detail:
      "Its answer was not one that this page understands. Reload the page; it may be older than the server.",
  };
}
