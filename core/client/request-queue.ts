import type { ClientOp } from '../protocol/index.js';
import { OutcomeUnknownError, RequestQueueFullError } from './client-errors.js';
import { ConnectionLossError } from './errors.js';
import { Fifo } from '../runtime/index.js';
import { PendingRequest, type RequestSpec } from './pending-request.js';
import type { ServerLink } from './server-link.js';

export interface QueueLimits {
  readonly maxRequests: number;
  readonly maxBytes: number;
}

/** A request without its payload: objects, closures, header. */
const REQUEST_OVERHEAD_BYTES = 200;
/**
 * Connections that may break under one request before it is given up. It may be what breaks them: an answer that is too
 * large for the transport, for one.
 */
const MAX_LOSSES = 10;
/** Settled requests that wait to be thrown out, before the queue is swept for them. */
const SWEEP_AT = 256;

/**
 * The requests of a client in the order in which they were made, those that have not been sent in front of a link,
 * those that have behind it. It outlives links and sessions: when a link closes, each request goes by its rule.
 */
export class RequestQueue {
  readonly #limits: QueueLimits;
  readonly #waiting = new Fifo<PendingRequest>();
  #link: ServerLink | null = null;
  #liveCount = 0;
  #liveBytes = 0;
  #settledWaiting = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Requests that have neither been answered nor given up. */
  get length(): number {
    return this.#liveCount;
  }

  /** Puts a request at the end. Throws `RequestQueueFullError` unless it is one of the client's own (rule `drop`). */
  add<Op extends ClientOp, Result>(
    spec: RequestSpec<Op, Result>,
    signal?: AbortSignal,
  ): PendingRequest<Op, Result> {
    const weight = weightOf(spec.body) + REQUEST_OVERHEAD_BYTES;
    if (spec.rule !== 'drop') this.#refuseBeyondLimits(spec, weight);
    const request = new PendingRequest(spec, { weight, signal, onSettled: this.#settled });
    this.#liveCount += 1;
    this.#liveBytes += weight;
    const general = request as unknown as PendingRequest;
    if (this.#waiting.length === 0 && this.#link?.hasRoom === true) this.#link.send(general);
    else this.#waiting.push(general);
    return request;
  }

  /** From now on requests leave through `link`, the waiting ones first. */
  attach(link: ServerLink): void {
    this.#link = link;
    this.pump();
  }

  /** Sends what waits, as far as the link has room. */
  pump(): void {
    const link = this.#link;
    if (link === null) return;
    while (this.#waiting.length > 0 && link.hasRoom) {
      const request = this.#waiting.shift()!;
      if (!request.isSettled) link.send(request);
    }
    if (this.#waiting.length === 0) this.#settledWaiting = 0;
  }

  /** The link has closed: what it had sent is settled, or waits again in front of everything else. */
  detach(link: ServerLink, cause: ConnectionLossError): void {
    this.#link = null;
    const { sent, unsent } = link.takeInFlight();
    const waiting = this.#waiting.drain();
    for (const request of sent) if (request.spec.rule === 'lookup') request.isInDoubt = true;
    for (const request of waiting) if (request.isInDoubt) request.losses += 1;
    for (const request of sent) request.losses += 1;
    const wereSent = new Set(sent);
    const kept: PendingRequest[] = [];
    for (const request of [...sent, ...unsent, ...waiting]) {
      if (request.isSettled) continue;
      const failure = failureOf(request, wereSent.has(request), cause);
      if (failure === null) kept.push(request);
      else request.reject(failure);
    }
    this.#waiting.reset(kept);
    this.#settledWaiting = 0;
  }

  /** Creates of which nobody knows whether they took effect, in order. */
  inDoubt(): PendingRequest[] {
    return this.#waiting.toArray().filter((request) => request.isInDoubt && !request.isSettled);
  }

  /** Takes out everything that waits, for the caller to reject. */
  drain(): PendingRequest[] {
    this.#settledWaiting = 0;
    return this.#waiting.drain().filter((request) => !request.isSettled);
  }

  #refuseBeyondLimits(
    { operation, path }: { readonly operation: string; readonly path?: string | undefined },
    weight: number,
  ): void {
    const { maxRequests, maxBytes } = this.#limits;
    const isFull =
      this.#liveCount >= maxRequests || (this.#liveBytes + weight > maxBytes && this.#liveCount > 0);
    if (!isFull) return;
    const what = `${this.#liveCount} requests of ${this.#liveBytes} bytes are waiting for an answer`;
    throw new RequestQueueFullError({ operation, path, what, fields: { ...this.#limits } });
  }

  readonly #settled = (request: PendingRequest): void => {
    this.#liveCount -= 1;
    this.#liveBytes -= request.weight;
    if (this.#waiting.length === 0 || ++this.#settledWaiting < SWEEP_AT) return;
    if (this.#settledWaiting * 2 < this.#waiting.length) return;
    this.#waiting.reset(this.#waiting.toArray().filter((waiting) => !waiting.isSettled));
    this.#settledWaiting = 0;
  };
}

/** What a request rejects with now that its connection is gone; null if it is to be sent, or looked for, on the next. */
function failureOf(request: PendingRequest, wasSent: boolean, cause: ConnectionLossError): Error | null {
  const { rule, operation, path } = request.spec;
  const isHopeless = request.losses >= MAX_LOSSES;
  if (rule === 'drop') return cause;
  if (rule === 'unknown') return wasSent ? new OutcomeUnknownError({ operation, path, cause }) : null;
  if (!isHopeless) return null;
  const GivenUp = rule === 'lookup' ? OutcomeUnknownError : ConnectionLossError;
  return new GivenUp({
    operation,
    path,
    what: `${MAX_LOSSES} connections broke while it was under way`,
    cause,
  });
}

/** The payload that a request keeps in memory, roughly. */
function weightOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'string') return value.length * 2;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + weightOf(item) + 16, 0);
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 0;
  for (const key in value) sum += weightOf((value as Readonly<Record<string, unknown>>)[key]);
  return sum;
}
