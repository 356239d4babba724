import type { ServiceInstance } from '../core/recipes/index.js';

/** What a choice may depend on besides the instances. */
export interface Choice {
  /** In [0, 1). */
  readonly chance: () => number;
  /** Calls of this process that an instance is busy with. */
  readonly load: (instance: ServiceInstance<never>) => number;
  /** By which calls are kept together; only `sticky` asks for it. */
  readonly key: string | undefined;
}

/**
 * Chooses one of the instances of a service. It may keep what it needs from call to call, so each service gets its own.
 * `instances` are never none, and always in the order of their registration.
 */
export type Strategy<Payload = unknown> = (
  instances: readonly ServiceInstance<Payload>[],
  choice: Choice,
) => ServiceInstance<Payload>;

/** Each in turn. */
export function roundRobin<Payload>(): Strategy<Payload> {
  let turn = 0;
  return (instances) => {
    const picked = instances[turn % instances.length]!;
    turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
    return picked;
  };
}

/** Any, all with the same chance. */
export function random<Payload>(): Strategy<Payload> {
  return (instances, { chance }) => instances[Math.floor(chance() * instances.length)]!;
}

/**
 * Of two that chance picks, the one that is busy with fewer calls of this process: nearly as even as looking at all of them,
 * without everybody rushing to the same one (the power of two choices).
 */
export function leastLoaded<Payload>(): Strategy<Payload> {
  return (instances, { chance, load }) => {
    const first = Math.floor(chance() * instances.length);
    const step = 1 + Math.floor(chance() * Math.max(1, instances.length - 1));
    const one = instances[first]!;
    const other = instances[(first + step) % instances.length]!;
    return load(other as ServiceInstance<never>) < load(one as ServiceInstance<never>) ? other : one;
  };
}

/** As often as its weight says, relative to the others; `payload.weight`, or 1, if left out. Weights below 0 count as 0. */
export function weighted<Payload>(
  weightOf: (instance: ServiceInstance<Payload>) => number = (instance) => numberIn(instance, 'weight') ?? 1,
): Strategy<Payload> {
  return (instances, { chance }) => {
    const weights = instances.map((instance) => Math.max(0, weightOf(instance)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (sum === 0) return instances[Math.floor(chance() * instances.length)]!;
    let rest = chance() * sum;
    const at = weights.findIndex((weight) => (rest -= weight) < 0);
    return instances[at < 0 ? weights.findLastIndex((weight) => weight > 0) : at]!;
  };
}

/**
 * The same instance for the same key, as long as it is there; when instances come and go, only the keys of those move
 * (rendezvous hashing). Without a key every call counts as one with an empty key.
 */
export function sticky<Payload>(): Strategy<Payload> {
  return (instances, { key = '' }) => {
    let best = instances[0]!;
    let highest = -1;
    for (const instance of instances) {
      const score = hash(`${key}\n${instance.id}`);
      if (score > highest) [best, highest] = [instance, score];
    }
    return best;
  };
}

/** Those of the own zone as long as there are any, by `then`; `payload.zone` says where one is, unless `zoneOf` does. */
export function nearestZone<Payload>(
  zone: string,
  then: Strategy<Payload> = roundRobin(),
  zoneOf: (instance: ServiceInstance<Payload>) => string | undefined = (instance) => textIn(instance, 'zone'),
): Strategy<Payload> {
  return (instances, choice) => {
    const near = instances.filter((instance) => zoneOf(instance) === zone);
    return then(near.length > 0 ? near : instances, choice);
  };
}

/** FNV-1a of 32 bits, its bits then mixed as MurmurHash3 ends: alike keys are to be far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function fieldIn({ payload }: ServiceInstance, field: string): unknown {
  return payload !== null && typeof payload === 'object'
    ? (payload as Readonly<Record<string, unknown>>)[field]
    : undefined;
}

function numberIn(instance: ServiceInstance, field: string): number | undefined {
  const value = fieldIn(instance, field);
  return typeof value === 'number' ? value : undefined;
}

function textIn(instance: ServiceInstance, field: string): string | undefined {
  const value = fieldIn(instance, field);
  return typeof value === 'string' ? value : undefined;
}
