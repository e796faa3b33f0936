// Bindings that live in another operating-system process, called over plain HTTP: when that process is killed, the
// call fails as it would over a real network, and works again once it is back. (Objects bound through the runtime's
// own dev registry were still lost a second after it was back.) Everything that rooms say to each other is JSON by design.

type Binding = "CONTROL" | "REGISTRY" | "STORE";

/** `object` names the Durable Object; null for the KV namespace. */
type RemoteCall = { binding: Binding; object: string | null; method: string; args: unknown[] };

/** Something with every method, each of them one HTTP request to the `Harness` at `url`. */
export function remote(url: string, binding: Binding, object: string | null): object {
  return new Proxy(
    {},
    {
      get(_target, method) {
        if (typeof method !== "string" || method === "then") return undefined;
        return async (...args: unknown[]): Promise<unknown> => {
          const call: RemoteCall = { binding, object, method, args };
          const response = await fetch(`${url}/call`, { method: "POST", body: JSON.stringify(call) });
          const text = await response.text();
          if (!response.ok) throw new Error(text);
          return text === "" ? undefined : JSON.parse(text);
        };
      },
    },
  );
}

/** The other end: makes the call on a binding of this process. */
export async function serveCall(request: Request, env: Record<string, unknown>): Promise<Response> {
  const { binding, object, method, args } = (await request.json()) as RemoteCall;
  const bound = env[binding] as { getByName(name: string): object };
  const target = object === null ? bound : bound.getByName(object);
  try {
    const result: unknown = await Reflect.apply(Reflect.get(target, method) as () => unknown, target, args);
    return new Response(result === undefined ? "" : JSON.stringify(result));
  } catch (error) {
    return new Response(String(error), { status: 500 });
  }
}
