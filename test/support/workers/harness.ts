// The entry of every Worker in a test cluster: the shipped bundle, unchanged, with its bindings behind faults.
// The control Worker's objects obey its faults (all edges see them); an edge's own faults cut off that edge alone.
// A second socket of each Worker leads to `Harness`, so that the public one carries nothing but Switchback.

import { WorkerEntrypoint } from "cloudflare:workers";
import shipped, { Control as ShippedControl, Registry as ShippedRegistry } from "../../../src/index.ts";
import { callUnderFault, calls, faults, methodUnderFault, type Room } from "./faults.ts";
import { remote, serveCall } from "./remote.ts";
import { freeze, type RawStore, storeUnderFaults, thaw } from "./store.ts";

type Namespace = { getByName(name: string): object };
type RawEnv = Record<string, unknown> & {
  STORE: RawStore;
  CONTROL: Namespace;
  REGISTRY: Namespace;
  /** Where another process keeps the objects, or the namespace: its `Harness`. */
  OBJECTS_URL?: string;
  STORE_URL?: string;
};
type ObjectClass = new (ctx: DurableObjectState, env: never) => object;

const wrapped = new WeakMap<object, object>();

/** One wrapped environment per real one: the edge may key caches by it. */
function envUnderFaults(env: RawEnv): never {
  let known = wrapped.get(env);
  if (known === undefined) {
    known = {
      ...env,
      STORE: storeUnderFaults(openStore(env)),
      CONTROL: namespaceUnderFaults(openNamespace(env, "CONTROL"), "control"),
      REGISTRY: namespaceUnderFaults(openNamespace(env, "REGISTRY"), "registry"),
    };
    wrapped.set(env, known);
  }
  return known as never;
}

function openStore(env: RawEnv): RawStore {
  return env.STORE_URL === undefined ? env.STORE : (remote(env.STORE_URL, "STORE", null) as RawStore);
}

function openNamespace(env: RawEnv, binding: "CONTROL" | "REGISTRY"): Namespace {
  const url = env.OBJECTS_URL;
  return url === undefined ? env[binding] : { getByName: (name) => remote(url, binding, name) };
}

function namespaceUnderFaults(namespace: Namespace, room: Room): Namespace {
  return {
    getByName(name) {
      return new Proxy(namespace.getByName(name), {
        get(stub, method) {
          const asked = typeof method === "string" ? methodUnderFault(room, method) : method;
          const member: unknown = Reflect.get(stub, asked);
          if (typeof member !== "function" || typeof method !== "string") return member;
          return (...args: unknown[]) =>
            callUnderFault(room, method, () => Reflect.apply(member, stub, args) as Promise<unknown>);
        },
      });
    },
  };
}

/** The shipped class with every method that can be called from outside under the faults of its isolate. Alarms are
 * not: an object that nobody can reach still wakes up. */
function classUnderFaults<Class extends ObjectClass>(Shipped: Class, room: Room): Class {
  const Base: ObjectClass = Shipped;
  const Faulty = class extends Base {
    constructor(ctx: DurableObjectState, env: never) {
      super(ctx, envUnderFaults(env));
    }
  };
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(Shipped.prototype))) {
    if (typeof value !== "function" || name === "constructor" || name === "alarm") continue;
    Object.defineProperty(Faulty.prototype, name, {
      value(this: object, ...args: unknown[]) {
        return callUnderFault(room, name, () => Reflect.apply(value, this, args) as Promise<unknown>);
      },
    });
  }
  return Faulty as unknown as Class;
}

export const Control = classUnderFaults(ShippedControl as unknown as ObjectClass, "control");
export const Registry = classUnderFaults(ShippedRegistry as unknown as ObjectClass, "registry");

const { digest } = SubtleCrypto.prototype;
SubtleCrypto.prototype.digest = function (this: SubtleCrypto, ...args: Parameters<typeof digest>) {
  const call = () => Reflect.apply(digest, this, args) as Promise<ArrayBuffer>;
  return faults.crypto === "none" ? call() : callUnderFault("crypto", "digest", call);
};

type Handler = (request: Request, env: never, ctx: ExecutionContext) => Response | Promise<Response>;

export default {
  fetch(request: Request, env: RawEnv, ctx: ExecutionContext): Response | Promise<Response> {
    return (shipped.fetch as unknown as Handler)(request, envUnderFaults(env), ctx);
  },
};

/** Sets faults (`POST /faults`), reads counts (`GET /calls`), calls bindings for another process (`POST /call`). */
export class Harness extends WorkerEntrypoint<RawEnv> {
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/calls") return Response.json(calls);
    if (pathname === "/call") return serveCall(request, this.env);
    const change = (await request.json()) as Partial<typeof faults>;
    if (change.store === "frozen") await freeze(openStore(this.env));
    else if (change.store !== undefined) thaw();
    Object.assign(faults, change);
    return Response.json(faults);
  }
}
