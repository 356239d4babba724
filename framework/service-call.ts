import type { ServiceInstance } from '../core/recipes/index.js';
import type { Clock } from '../core/runtime/index.js';
import { isHost } from './service-allow.js';
import { fetchWithin, type FetchService } from './service-redirects.js';
import { ServiceCallError, ServiceDeadlineError, ServiceNotCallableError } from './service-errors.js';

export interface ServiceRequest extends Omit<RequestInit, 'signal' | 'redirect'> {
  readonly signal?: AbortSignal | undefined;
  /** For the whole call, all tries together, until the response begins; 10 000 if left out. */
  readonly deadlineMs?: number | undefined;
  /** How many instances are asked at most; all if left out. */
  readonly attempts?: number | undefined;
  /**
   * `manual` if left out: a redirect is a response like any other. `follow`: redirects are followed; one to another host carries no
   * header and no body of the caller, and is the response where it would need the body.
   */
  readonly redirect?: RequestInit['redirect'];
}

/** A service, as far as a call needs it. */
export interface CallableService {
  readonly name: string;
  readonly clock: Clock;
  readonly fetch: FetchService;
  /** Whether a redirect may lead there. */
  readonly isAllowed: (host: string) => boolean;
  /** Chooses an instance, if possible another than those that were tried, and runs the task with it; `signal` ends the search. */
  use<T>(
    tried: ReadonlySet<string>,
    signal: AbortSignal,
    task: (instance: ServiceInstance) => Promise<T>,
  ): Promise<T>;
  /** It could not be reached. */
  failed(id: string): void;
  /** How many instances there are. */
  count(signal: AbortSignal): Promise<number>;
}

const DEFAULT_DEADLINE_MS = 10_000;

/** The connection was never made, so that nothing was sent. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** RFC 9110, section 9.2.2: to be repeated without harm. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** See `Services.fetch`. */
export async function fetchFrom(
  service: CallableService,
  path: string,
  request: ServiceRequest,
): Promise<Response> {
  const { signal: given, deadlineMs = DEFAULT_DEADLINE_MS, attempts = Infinity, ...init } = request;
  given?.throwIfAborted();
  const { name } = service;
  const tried = new Set<string>();
  let last: unknown;
  const over = new AbortController();
  const timer = service.clock.setTimer(deadlineMs, () =>
    over.abort(new ServiceDeadlineError(name, deadlineMs, [...tried], last)),
  );
  // What waits for either, for an instance to be known or to answer, ends with the reason.
  const signal = given === undefined ? over.signal : AbortSignal.any([given, over.signal]);
  try {
    for (;;) {
      const outcome = await attempt(service, tried, path, { ...init, signal });
      if ('response' in outcome) return outcome.response;
      signal.throwIfAborted();
      last = outcome.error;
      if (!mayRepeat(last, init))
        throw new ServiceCallError(
          name,
          [...tried],
          'the connection broke, and the request may have had its effect',
          last,
        );
      if (tried.size >= Math.min(attempts, await service.count(signal)))
        throw new ServiceCallError(name, [...tried], 'no instance could be reached', last);
    }
  } finally {
    timer.cancel();
  }
}

type Outcome = { readonly response: Response } | { readonly error: unknown };

/** What goes wrong before an instance is asked is thrown: it is no outcome of a call. */
function attempt(
  service: CallableService,
  tried: Set<string>,
  path: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Outcome> {
  return service.use(tried, init.signal, async (instance): Promise<Outcome> => {
    const url = urlOf(service.name, instance, path);
    tried.add(instance.id);
    try {
      return { response: await fetchWithin(service.fetch, url, init, service.isAllowed) };
    } catch (error) {
      if (!init.signal.aborted) service.failed(instance.id);
      return { error };
    }
  });
}

function urlOf(name: string, { id, address, port, sslPort }: ServiceInstance, path: string): string {
  const scheme = sslPort === null ? 'http' : 'https';
  const own = sslPort ?? port;
  if (address === null || own === null || !isHost(address)) throw new ServiceNotCallableError(name, id);
  const host = address.includes(':') ? `[${address}]` : address;
  return `${scheme}://${host}:${own}${path.startsWith('/') ? path : `/${path}`}`;
}

function mayRepeat(error: unknown, { method = 'GET', body }: RequestInit): boolean {
  // A stream can be read once only.
  if (body instanceof ReadableStream) return false;
  return wasNotConnected(error) || IDEMPOTENT.has(method.toUpperCase());
}

/** `fetch` hides the reason in its cause; of several addresses that failed, all must have. */
function wasNotConnected(error: unknown): boolean {
  if (error === null || typeof error !== 'object') return false;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.every(wasNotConnected);
  if ('code' in error && typeof error.code === 'string' && NOT_CONNECTED.has(error.code)) return true;
  return 'cause' in error && wasNotConnected(error.cause);
}
