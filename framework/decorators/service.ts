import type { Constructor } from '../constructor.js';
import type { Duration } from './leader-only.js';
import { recordDeclaration } from '../declarations.js';

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A value, or how it follows from the instance once that has been started. */
export type FromInstance<V, I> = V | ((instance: I) => V);

export interface ServiceOptions<I = never> {
  /** By which others find it. */
  readonly name: string;
  readonly port?: FromInstance<number, I> | undefined;
  /** Host name or address that others can reach; left out: the first external address of this machine. */
  readonly address?: FromInstance<string, I> | undefined;
  /** Published beside the address. */
  readonly payload?: FromInstance<Json, I> | undefined;
  /** Where it is, for `nearestZone`: published as `zone` in the payload, which then is an object. */
  readonly zone?: string | undefined;
  /** How much it takes compared with others, for `weighted`: published as `weight` in the payload, which then is an object. */
  readonly weight?: number | undefined;
  /** When `healthy` is asked. Left out: every 5 s, with 2 s to answer, and taken out after 3 failures in a row. */
  readonly health?:
    | {
        readonly every?: Duration | undefined;
        readonly timeout?: Duration | undefined;
        readonly failures?: number | undefined;
      }
    | undefined;
}

/** What the framework calls on a service, if it is there. */
export interface ServiceLifecycle {
  /** Before it is registered; `port`, `address` and `payload` are asked afterwards. */
  start?(): unknown;
  /** After it is no longer registered. */
  stop?(): unknown;
  /**
   * Asked again and again once it is registered. While it answers false, rejects, or does not answer in time, the service is not
   * registered, so that nobody finds it; it is again when it answers otherwise. It is not asked again before it has answered: hand
   * `signal`, which aborts when the time is over, to what it waits for.
   */
  healthy?(signal: AbortSignal): unknown;
}

/** Declares a class of which one instance is built, started and then registered under a name. */
export function Service<I extends object>(options: ServiceOptions<I>): (target: Constructor<I>) => void {
  return (target) => recordDeclaration(target, { kind: 'service', options });
}
