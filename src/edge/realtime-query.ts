// The model in the query of a WebSocket's URL: `?model=…`, or Azure's `?deployment=…`. Every other byte of it stays.

const MODEL = /([?&](?:model|deployment)=)([^&]*)/;

/** Decoded; null: the query names none. */
export function modelInQuery(search: string): string | null {
  const sent = MODEL.exec(search)?.[2];
  if (sent === undefined) return null;
  try {
    return decodeURIComponent(sent.replaceAll("+", " "));
  } catch {
    return sent;
  }
}

export function replaceModelInQuery(search: string, model: string): string {
  const written = encodeURIComponent(model);
  if (MODEL.test(search)) return search.replace(MODEL, (_whole, name: string) => name + written);
  return `${search}${search === "" ? "?" : "&"}model=${written}`;
}
