// The page at /docs, printed from the same table as the server: every call with its fields, a curl line and its
// problems, and the anchor of each problem code that `type` in a problem document leads to. Needs no network.

import { PROBLEMS, type ProblemCode } from "../core/problem.ts";
import { MOUNTS, REQUEST_HEADERS, RESPONSE_HEADERS, SCRAPE } from "./data-plane.ts";
import { DOCS_STYLE } from "./docs-style.ts";
import { listFields, type Field } from "./json-schema.ts";
import { describeApi } from "./openapi.ts";
import { COMMON_PROBLEMS, operationList, type Operation } from "./operations.ts";
import { INTERNAL } from "./problem.ts";

let page: string | null = null;

/** The page as HTML; built at the first call, the same text from then on. */
export function renderDocs(): string {
  page ??= buildPage();
  return page;
}

function buildPage(): string {
  const { summary } = describeApi()["info"] as { summary: string };
  const groups = [...new Set(operationList.map(({ group }) => group))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchback API</title>
<style>${DOCS_STYLE}</style>
</head>
<body>
<main>
<h1>Switchback API</h1>
<p class="soft">${formatText(summary)} The same as a machine reads it: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<nav aria-label="Calls">${groups.map(renderIndex).join("\n")}</nav>
${INTRODUCTION}
${groups.map(renderGroup).join("\n")}
${renderDataPlane()}
${renderProblems()}
</main>
</body>
</html>
`;
}

const INTRODUCTION = `<h2 id="basics">Basics</h2>
<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. <code>ADMIN_TOKEN</code> is the first token; it mints others with a role, <code>viewer</code> &lt; <code>releaser</code> &lt; <code>admin</code>. A revoked token is refused from the next request on. The examples read both from the environment:</p>
<pre>export SWITCHBACK_URL=http://127.0.0.1:8787
export SWITCHBACK_TOKEN=…</pre>
<p>Bodies and answers are JSON, at most 1 MiB. Fields that a call does not know are refused. Times are ISO 8601, UTC, with milliseconds. An operation that names no environment means <code>production</code>. Aliases of a prompt work wherever its name does.</p>
<p>Every write to a prompt takes <code>If-Match: "&lt;revision&gt;"</code>, the <code>ETag</code> of a release: it is refused with 412 when the release has changed since. It also takes an <code>Idempotency-Key</code>: sent again under the same key, the call happens once and is answered the same.</p>
<pre>curl --json '{"version":2,"weight":25}' -H 'If-Match: "7"' -H "Idempotency-Key: $(uuidgen)" \\
  -H "Authorization: Bearer $SWITCHBACK_TOKEN" "$SWITCHBACK_URL/admin/prompts/support-bot/canary"</pre>`;

function renderIndex(group: Operation["group"]): string {
  const items = operationList
    .filter((operation) => operation.group === group)
    .map(
      ({ id, method, summary }) => `<li><a href="#${id}">${methodMark(method)}${escape(summary)}</a></li>`,
    );
  if (group === SCRAPE.group) {
    items.push(`<li><a href="#${SCRAPE.id}">${methodMark("GET")}${escape(SCRAPE.summary)}</a></li>`);
  }
  return `<p class="soft">${group}</p><ul>${items.join("")}</ul>`;
}

function renderGroup(group: Operation["group"]): string {
  const articles = operationList.filter((operation) => operation.group === group).map(renderOperation);
  if (group === SCRAPE.group) articles.push(renderScrape());
  return `<h2>${group}</h2>\n${articles.join("\n")}`;
}

function renderOperation(operation: Operation): string {
  const { id, method, path, summary, description, role, statuses } = operation;
  const shown = path.replace(/:([a-z]+)/g, "{$1}");
  const codes = [...new Set([...statuses.problems, ...COMMON_PROBLEMS])];
  return `<article id="${id}">
<h3>${escape(summary)}</h3>
<div class="call">${methodMark(method)}<code>${shown}</code><span class="role">${role}</span></div>
<p>${formatText(description)}</p>
${renderFields(listFields(operation))}
<pre>${escape(writeCurl(operation))}</pre>
<p class="soft">Answers ${statuses.success.join(" or ")}${id === "getRelease" ? " or 304" : ""}; problems: ${codes.map(linkCode).join(" ")}</p>
</article>`;
}

function renderScrape(): string {
  const { id, path, summary, description, role, parameter, problems } = SCRAPE;
  const field = { ...parameter, place: "query", required: false, type: "text" } as const;
  return `<article id="${id}">
<h3>${escape(summary)}</h3>
<div class="call">${methodMark("GET")}<code>${path}</code><span class="role">${role}</span></div>
<p>${formatText(description)}</p>
${renderFields([field])}
<pre>${escape(`curl "$SWITCHBACK_URL${path}" \\\n  -H "Authorization: Bearer $SWITCHBACK_TOKEN"`)}</pre>
<p class="soft">Answers 200; problems: ${problems.map(linkCode).join(" ")}</p>
</article>`;
}

function renderFields(fields: Field[]): string {
  if (fields.length === 0) return "";
  const rows = fields.map(({ name, place, required, type, description }) => [
    `<code>${escape(name)}</code>`,
    `${place}${required ? "" : ", optional"}`,
    `<code>${escape(type)}</code>`,
    formatText(description),
  ]);
  return renderTable(["field", "in", "type", ""], rows);
}

/** The example as one would type it; quotes in the body are safe inside the shell's single quotes. */
function writeCurl(operation: Operation): string {
  const { method, example } = operation;
  const url = `"$SWITCHBACK_URL${example.path}${example.query === undefined ? "" : `?${example.query}`}"`;
  const lines = [`curl${method === "GET" || example.body !== undefined ? "" : ` -X ${method}`} ${url}`];
  lines.push(`-H "Authorization: Bearer $SWITCHBACK_TOKEN"`);
  if (example.body !== undefined) {
    if (method !== "POST") lines[0] = `curl -X ${method} ${url}`;
    lines.push(`--json '${JSON.stringify(example.body).replaceAll("'", String.raw`'\''`)}'`);
  }
  return lines.join(" \\\n  ");
}

function renderDataPlane(): string {
  const mounts = MOUNTS.map(
    ({ id, path, summary, description }) => `<article id="${id}">
<h3>${escape(summary)}</h3>
<div class="call">${methodMark("POST")}<code>${path}</code></div>
<p>${formatText(description)}</p>
</article>`,
  );
  return `<h2 id="data-plane">Data plane</h2>
<p>An app changes its base URL and nothing else. Errors of Switchback come in the caller's wire format, with <code>Prompt-Error</code>.</p>
${mounts.join("\n")}
<h3>Request headers</h3>${renderHeaders(REQUEST_HEADERS)}
<h3>Response headers</h3>${renderHeaders(RESPONSE_HEADERS)}`;
}

function renderHeaders(headers: readonly { name: string; description: string }[]): string {
  const rows = headers.map(({ name, description }) => [`<code>${name}</code>`, formatText(description)]);
  return renderTable(["header", ""], rows);
}

function renderProblems(): string {
  const rows = (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => {
    const { status, title, retry } = PROBLEMS[code];
    return renderProblem(code, status, title, retry ? "may help" : "no");
  });
  rows.push(renderProblem(INTERNAL.code, INTERNAL.status, INTERNAL.title, "may help"));
  return `<h2 id="problems">Problems</h2>
<p>Failures of the control plane are <code>application/problem+json</code> (RFC 9457): <code>type</code>, <code>title</code>, <code>status</code>, <code>detail</code> (how to mend it), a stable <code>code</code>, and where it applies <code>field</code>, <code>errors</code>, <code>current</code>, <code>missing</code>.</p>
<div class="table"><table><thead><tr><th>code</th><th>status</th><th>meaning</th><th>sending it again</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function renderProblem(code: string, status: number, title: string, again: string): string {
  return `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escape(title)}</td><td>${again}</td></tr>`;
}

function renderTable(heads: string[], rows: string[][]): string {
  const head = heads.map((cell) => `<th>${cell}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n");
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function methodMark(method: string): string {
  return `<span class="method ${method}">${method}</span>`;
}

function linkCode(code: ProblemCode): string {
  return `<a href="#${code}"><code>${code}</code></a>`;
}

/** Escaped text in which `…` becomes code. */
function formatText(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
