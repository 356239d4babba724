import type { ConnectRequest, ConnectResponse, WatchEvent } from '../protocol/index.js';
import type { Clock, Logger, Random, Timer } from '../runtime/index.js';
import type { Connection, Dialer } from '../transport/index.js';
import { ConnectionLossError } from './errors.js';
import type { RetryPolicy } from './retry.js';
import { ServerLink } from './server-link.js';
import { sleep } from './sleep.js';

/** A link that lived shorter does not count as a success: a server that accepts and fails must not be tried in a tight loop. */
const STEADY_LINK_MS = 1000;
/** A search that lasts so long is reported, and again whenever it has lasted twice as long. */
const FIRST_REPORT_MS = 1000;

export interface ConnectionLoopEvents {
  /** The first packet of the next connection. */
  connectRequest(): ConnectRequest;
  /** How long the next attempt may take, from dialling to the server's answer. */
  attemptTimeoutMs(): number;
  /** A server answered. Returns whether the search is over; otherwise the link has been closed, and it goes on. */
  accepted(link: ServerLink, response: ConnectResponse, sentAt: number): boolean;
  heard(): void;
  answered(sentAt: number): void;
  saw(zxid: bigint): void;
  notified(event: WatchEvent, zxid: bigint): void;
  ready(): void;
  anonymousRefused(): void;
  /** The link that ended the last search is gone. */
  lost(link: ServerLink, error: ConnectionLossError): void;
  /** An attempt failed: the server could not be reached, or has closed without accepting. */
  failed(error: Error): void;
  /** The policy allows no further attempt. */
  exhausted(cause: unknown): void;
}

export interface ConnectionLoopOptions {
  readonly addresses: readonly string[];
  readonly dialer: Dialer;
  readonly policy: RetryPolicy;
  readonly maxReplyBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: ConnectionLoopEvents;
}

/**
 * Looks for a server, one host after the other in an order of its own, until one accepts. The first attempt of a search
 * comes at once, unless the links before it all broke shortly after they were made; further ones wait as the policy says.
 */
export class ConnectionLoop {
  readonly #options: ConnectionLoopOptions;
  readonly #addresses: readonly string[];
  #nextAddress = 0;
  #search: AbortController | null = null;
  /** Links in a row that did not live long. */
  #shortLinks = 0;
  #lastError: Error | null = null;

  constructor(options: ConnectionLoopOptions) {
    this.#options = options;
    this.#addresses = shuffled(options.addresses, options.random);
  }

  /** Why the last attempt failed; null when a server has accepted since, or no attempt has failed yet. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** Begins to search, anew if a search is going on: what that one has opened is broken off. */
  start(): void {
    this.stop();
    const search = new AbortController();
    this.#search = search;
    void this.#run(search.signal);
  }

  /** Ends the search, if there is one. */
  stop(): void {
    this.#search?.abort(new ConnectionLossError({ what: 'the attempt was given up' }));
    this.#search = null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, policy, events, logger } = this.#options;
    const startedAt = clock.now();
    let failures = Math.max(0, this.#shortLinks - 1);
    const stopReporting = this.#reportEvery(signal);
    try {
      while (!signal.aborted) {
        const delayMs = failures === 0 ? 0 : policy.delayMs(failures, clock.now() - startedAt, random);
        if (delayMs === null) {
          events.exhausted(this.#lastError ?? undefined);
          return;
        }
        const address = this.#takeAddress();
        try {
          if (delayMs > 0) await sleep(delayMs, { clock, signal });
          if (await this.#attempt(address, signal)) {
            this.#lastError = null;
            return;
          }
          this.#lastError = new ConnectionLossError({ what: `${address} did not grant a session` });
        } catch (error) {
          if (signal.aborted) return;
          this.#lastError = error as Error;
          events.failed(this.#lastError);
          logger.info('no session with this server', { address, attempt: failures + 1, error });
        }
        failures += 1;
      }
    } finally {
      stopReporting();
    }
  }

  /** Warns of a search that lasts, after one second, two, four…: a long outage is seen, and does not fill the log. */
  #reportEvery(signal: AbortSignal): () => void {
    const { clock, logger } = this.#options;
    let timer: Timer;
    const wait = (delayMs: number, elapsedMs: number): void => {
      timer = clock.setTimer(delayMs, () => {
        if (signal.aborted) return;
        logger.warn('Could not connect to a server yet; the client keeps trying', {
          addresses: this.#addresses.join(','),
          elapsedMs,
          cause: this.#lastError?.message ?? 'no server has answered',
          remedy: 'check these addresses, or start a server there (npx quorate serve)',
        });
        wait(elapsedMs, elapsedMs * 2);
      });
    };
    wait(FIRST_REPORT_MS, FIRST_REPORT_MS);
    return () => timer.cancel();
  }

  /** Resolves to whether the search is over; rejects when no server answered. */
  async #attempt(address: string, signal: AbortSignal): Promise<boolean> {
    const { clock, dialer, events } = this.#options;
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    const timeoutMs = events.attemptTimeoutMs();
    const timer = clock.setTimer(
      timeoutMs,
      () =>
        attempt.abort(new ConnectionLossError({ what: `${address} did not answer within ${timeoutMs} ms` })),
      { hold: true },
    );
    try {
      const connection = await dialer.dial(address, { signal: attempt.signal });
      if (attempt.signal.aborted) {
        connection.terminate();
        throw attempt.signal.reason;
      }
      return await this.#introduce(connection, address, attempt.signal);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** From the first packet to its answer. */
  #introduce(connection: Connection, address: string, signal: AbortSignal): Promise<boolean> {
    const { clock, events, maxReplyBytes } = this.#options;
    return new Promise<boolean>((resolve, reject) => {
      let acceptedAt = NaN;
      const accepted = (response: ConnectResponse, sentAt: number): void => {
        signal.removeEventListener('abort', breakOff);
        acceptedAt = clock.now();
        const isOver = events.accepted(link, response, sentAt);
        if (!isOver) acceptedAt = NaN;
        resolve(isOver);
      };
      const closed = (error: ConnectionLossError): void => {
        signal.removeEventListener('abort', breakOff);
        reject(error);
        if (Number.isNaN(acceptedAt)) return;
        this.#shortLinks = clock.now() - acceptedAt < STEADY_LINK_MS ? this.#shortLinks + 1 : 0;
        events.lost(link, error);
      };
      const linkEvents = { ...events, accepted, closed };
      const link = new ServerLink(connection, { address, clock, maxReplyBytes, events: linkEvents });
      const breakOff = (): void => link.fail(signal.reason as ConnectionLossError);
      signal.addEventListener('abort', breakOff, { once: true });
      link.open(events.connectRequest());
    });
  }

  #takeAddress(): string {
    const address = this.#addresses[this.#nextAddress]!;
    this.#nextAddress = (this.#nextAddress + 1) % this.#addresses.length;
    return address;
  }
}

/** Fisher-Yates: clients that are given the same list do not all go to the same member. */
function shuffled(addresses: readonly string[], random: Random): readonly string[] {
  const order = [...addresses];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
