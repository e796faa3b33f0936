// The entry of every Worker in a test cluster: the shipped bundle, unchanged, with its bindings behind faults.
// The control Worker's objects obey its faults (all edges see them); an edge's own faults cut off that edge alone.
// A second socket of each Worker leads to `Harness`, so that the public one carries nothing but Switchback.

import { WorkerEntrypoint } from "cloudflare:workers";
import shipped, { Control as ShippedControl, Registry as ShippedRegistry } from "../../../src/index.ts";
import { callUnderFault, calls, faults, type Room } from "./faults.ts";
import { freeze, type RawStore, storeUnderFaults, thaw } from "./store.ts";

type Namespace = { getByName(name: string): object };
type RawEnv = Record<string, unknown> & {
  STORE?: RawStore;
  /** Where another process keeps the namespace: its `Harness`, reached as a service. */
  STORE_GATE?: RawStore;
  CONTROL: Namespace;
  REGISTRY: Namespace;
};
type ObjectClass = new (ctx: DurableObjectState, env: never) => object;

const wrapped = new WeakMap<object, object>();

/** One wrapped environment per real one: the edge may key caches by it. */
function envUnderFaults(env: RawEnv): never {
  let known = wrapped.get(env);
  if (known === undefined) {
    known = {
      ...env,
      STORE: storeUnderFaults(rawStore(env)),
      CONTROL: namespaceUnderFaults(env.CONTROL, "control"),
      REGISTRY: namespaceUnderFaults(env.REGISTRY, "registry"),
    };
    wrapped.set(env, known);
  }
  return known as never;
}

function rawStore(env: RawEnv): RawStore {
  const store = env.STORE_GATE ?? env.STORE;
  if (store === undefined) throw new Error("the cluster binds neither STORE nor STORE_GATE");
  return store;
}

function namespaceUnderFaults(namespace: Namespace, room: Room): Namespace {
  return {
    getByName(name) {
      return new Proxy(namespace.getByName(name), {
        get(stub, method) {
          const member: unknown = Reflect.get(stub, method);
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

type Handler = (request: Request, env: never, ctx: ExecutionContext) => Response | Promise<Response>;

export default {
  fetch(request: Request, env: RawEnv, ctx: ExecutionContext): Response | Promise<Response> {
    return (shipped.fetch as unknown as Handler)(request, envUnderFaults(env), ctx);
  },
};

/** Set faults (`POST /faults`), read counts (`GET /calls`); also the namespace for a process that has none. */
export class Harness extends WorkerEntrypoint<RawEnv> {
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/calls") return Response.json(calls);
    const change = (await request.json()) as Partial<typeof faults>;
    if (change.store === "frozen") await freeze(rawStore(this.env));
    else if (change.store !== undefined) thaw();
    Object.assign(faults, change);
    return Response.json(faults);
  }

  get(...args: Parameters<RawStore["get"]>): Promise<unknown> {
    return rawStore(this.env).get(...args);
  }
  put(...args: Parameters<RawStore["put"]>): Promise<void> {
    return rawStore(this.env).put(...args);
  }
  delete(...args: Parameters<RawStore["delete"]>): Promise<void> {
    return rawStore(this.env).delete(...args);
  }
  list(...args: Parameters<RawStore["list"]>): ReturnType<RawStore["list"]> {
    return rawStore(this.env).list(...args);
  }
}
