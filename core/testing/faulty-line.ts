import { QuorateError } from '../runtime/index.js';
import type { Connection, Dialer } from '../transport/index.js';
import { FaultyConnection, type Traffic } from './faulty-connection.js';
import { matches, type RequestPattern, type SeenRequest } from './request-pattern.js';

/** A break to come. */
interface Plan {
  readonly before: 'request' | 'reply';
  readonly pattern: RequestPattern;
  happened(): void;
}

/** The line between one client and its servers: a dialer whose connections break, or stand still, when a test says so. */
export class FaultyLine implements Dialer {
  readonly #inner: Dialer;
  readonly #open = new Set<FaultyConnection>();
  readonly #observers = new Set<(request: SeenRequest) => void>();
  #plans: Plan[] = [];
  #isCutOff = false;
  #isHeld = false;

  constructor(inner: Dialer) {
    this.#inner = inner;
  }

  async dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection> {
    if (this.#isCutOff) throw refused(address);
    const inner = await this.#inner.dial(address, options);
    if (this.#isCutOff) {
      inner.terminate();
      throw refused(address);
    }
    const connection = new FaultyConnection(inner, this.#traffic);
    this.#open.add(connection);
    if (this.#isHeld) connection.hold();
    return connection;
  }

  /** Breaks what is open; the client may dial again. */
  loseConnection(): void {
    for (const connection of this.#open) connection.break();
  }

  /** Breaks what is open; every dial fails until `rejoin`. */
  cutOff(): void {
    this.#isCutOff = true;
    this.loseConnection();
  }

  /** Ends `cutOff` and `pause`. */
  rejoin(): void {
    this.#isCutOff = false;
    this.#isHeld = false;
    for (const connection of this.#open) connection.release();
  }

  /** Connections stay open, and nothing gets through in either direction until `rejoin`, when it all arrives. */
  pause(): void {
    this.#isHeld = true;
    for (const connection of this.#open) connection.hold();
  }

  /** Breaks the connection in front of the next such request: no server sees it. Resolves when that has happened. */
  loseNextRequest(pattern: RequestPattern = {}): Promise<void> {
    return this.#plan('request', pattern);
  }

  /** Breaks the connection in front of the reply to the next such request: a server has carried it out. Resolves when that has happened. */
  loseNextReply(pattern: RequestPattern = {}): Promise<void> {
    return this.#plan('reply', pattern);
  }

  /** Calls `observer` for every request that leaves; returns how to stop it. */
  observe(observer: (request: SeenRequest) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  readonly #traffic: Traffic = {
    mayLeave: (request) => {
      if (this.#happens('request', request)) return false;
      for (const observer of this.#observers) observer(request);
      return true;
    },
    mayArrive: (request) => !this.#happens('reply', request),
    ended: (connection) => void this.#open.delete(connection),
  };

  #plan(before: Plan['before'], pattern: RequestPattern): Promise<void> {
    return new Promise((happened) => this.#plans.push({ before, pattern, happened }));
  }

  #happens(before: Plan['before'], request: SeenRequest): boolean {
    const plan = this.#plans.find(
      (candidate) => candidate.before === before && matches(candidate.pattern, request),
    );
    if (plan === undefined) return false;
    this.#plans = this.#plans.filter((other) => other !== plan);
    plan.happened();
    return true;
  }
}

function refused(address: string): QuorateError {
  return new QuorateError('CONNECT_FAILED', `Cannot connect to ${address}: the test has cut this line.`, {
    fields: { address },
  });
}
