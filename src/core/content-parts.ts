// The content parts that OpenAI's `prompt.variables` takes beside texts: pictures and files, brought into one neutral form
// that every wire format can say in its own words, or refuse by the variable's name. A part is only ever carried: nothing
// is fetched, decoded or stored here.

import type { Json, JsonObject } from "./types.ts";

/** A user message whose variables are no text: texts and media in the order in which the template names them. */
export type RenderedPart = { kind: "text"; text: string } | MediaPart;

export type MediaPart = {
  kind: "image" | "file";
  /** The variable that it came in, for refusals. */
  variable: string;
  source: MediaSource;
  filename: string | null;
  detail: string | null;
  /** As the caller sent it: OpenAI's Responses takes it as it is. */
  sent: JsonObject;
};

/** `mediaType` null: bytes of which nothing says what they are. `id`: a file that the provider already holds. */
export type MediaSource =
  | { from: "url"; url: string }
  | { from: "id"; id: string }
  | { from: "data"; mediaType: string | null; base64: string };

/** A part as a variable's value; null: the value is no part at all. */
export type ReadPart = { text: string } | { media: MediaPart } | { error: string };

const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/;

const MEDIA_TYPES: { readonly [extension: string]: string } = {
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/plain",
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

export function readContentPart(variable: string, value: Json): ReadPart | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  switch (textAt(value, "type")) {
    case "input_text":
      return typeof value["text"] === "string"
        ? { text: value["text"] }
        : { error: "is an input_text part without a text" };
    case "input_image":
      return readImage(variable, value);
    case "input_file":
      return readFile(variable, value);
    case "input_audio":
      return { error: "is an input_audio part; send input_text, input_image or input_file" };
    default:
      return null;
  }
}

function readImage(variable: string, sent: JsonObject): ReadPart {
  const source = sourceOf(textAt(sent, "image_url"), null) ?? idOf(sent);
  if (source === null) return { error: "is an input_image part without an image_url or a file_id" };
  return { media: { kind: "image", variable, source, filename: null, detail: textAt(sent, "detail"), sent } };
}

function readFile(variable: string, sent: JsonObject): ReadPart {
  const filename = textAt(sent, "filename");
  const data = textAt(sent, "file_data");
  const source =
    (data === null ? null : dataOf(data, filename)) ??
    sourceOf(textAt(sent, "file_url"), filename) ??
    idOf(sent);
  if (source === null) return { error: "is an input_file part without a file_data, a file_url or a file_id" };
  return { media: { kind: "file", variable, source, filename, detail: textAt(sent, "detail"), sent } };
}

function sourceOf(url: string | null, filename: string | null): MediaSource | null {
  if (url === null) return null;
  return DATA_URL.test(url) ? dataOf(url, filename) : { from: "url", url };
}

/** A data URL, or the bare Base64 that some clients send. */
function dataOf(data: string, filename: string | null): MediaSource {
  const head = DATA_URL.exec(data);
  if (head !== null) return { from: "data", mediaType: head[1] || null, base64: data.slice(head[0].length) };
  const extension = filename?.split(".").at(-1)?.toLowerCase() ?? "";
  const mediaType = Object.hasOwn(MEDIA_TYPES, extension) ? MEDIA_TYPES[extension]! : null;
  return { from: "data", mediaType, base64: data };
}

function idOf(sent: JsonObject): MediaSource | null {
  const id = textAt(sent, "file_id");
  return id === null ? null : { from: "id", id };
}

function textAt(object: JsonObject, name: string): string | null {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return typeof value === "string" && value !== "" ? value : null;
}

/** What a provider is told of bytes that are sent within the body. */
export function dataUrl(source: MediaSource & { from: "data" }): string {
  return `data:${source.mediaType ?? "application/octet-stream"};base64,${source.base64}`;
}
