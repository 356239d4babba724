import {
  checkNestedOptions,
  checkOptions,
  QuorateError,
  SeededRandom,
  type Clock,
  type OptionNames,
  type Random,
} from '../runtime/index.js';
import type { Connection, Dialer } from '../transport/index.js';
import type { Route } from './pipe.js';
import { SimulatedConnection } from './simulated-connection.js';

/** What a direction of the line between two hosts is like. */
export interface LineQuality {
  /** Milliseconds that a message is under way at least. Default 1. */
  readonly latencyMs: number;
  /** What is added at most, anew for each message. Default 1. */
  readonly jitterMs: number;
  /** Default: no limit. */
  readonly bytesPerMs: number;
}

interface NetworkOptions {
  readonly random?: Random;
  readonly quality?: Partial<LineQuality>;
}

const NETWORK_OPTIONS: OptionNames<NetworkOptions> = { random: true, quality: true };
const QUALITY: OptionNames<LineQuality> = { latencyMs: true, jitterMs: true, bytesPerMs: true };

const DEFAULT_QUALITY: LineQuality = { latencyMs: 1, jitterMs: 1, bytesPerMs: Infinity };
/** What a sender's system takes before the sender notices. */
const WINDOW_BYTES = 64 * 1024;

interface Listener {
  accept(connection: Connection): void;
}

/** Both ends, and the names of their hosts. */
interface Line {
  readonly near: SimulatedConnection;
  readonly far: SimulatedConnection;
  readonly nearHost: string;
  readonly farHost: string;
}

/** Somebody who dials, and waits for the line to be whole. */
interface Traveller {
  readonly from: string;
  readonly to: string;
  readonly arrive: () => void;
}

/**
 * A network of named hosts on a virtual clock. Messages of one connection keep their order, those of different ones
 * do not; how long each takes is left to chance. Lines can be cut in one direction or both, be slow, and reset their
 * connections; a cut is silent, as in life. Addresses are `scheme://host:port`.
 */
export class SimulatedNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #lines = new Set<Line>();
  readonly #blocked = new Set<string>();
  readonly #qualities = new Map<string, LineQuality>();
  #quality: LineQuality;
  #travellers: Traveller[] = [];
  #lastPort = 40_000;

  constructor(clock: Clock, options: NetworkOptions = {}) {
    checkOptions('SimulatedNetwork', options, NETWORK_OPTIONS);
    checkNestedOptions<Partial<LineQuality>>('SimulatedNetwork', 'quality', options.quality, QUALITY);
    this.#clock = clock;
    this.#random = options.random ?? new SeededRandom(1);
    this.#quality = { ...DEFAULT_QUALITY, ...options.quality };
  }

  /** The host of that name; it is made when it is first asked for. */
  host(name: string): SimulatedHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = new SimulatedHost(name, {
        dial: (from, address, signal) => this.#dial(from, address, signal),
        lost: () => this.#powerLost(name),
        back: () => this.#passable(),
      });
      this.#hosts.set(name, host);
    }
    return host;
  }

  /** Connections of which one end at least is not over. */
  get connections(): number {
    return this.#lines.size;
  }

  /** Nothing gets from one host to the other, and neither is told. */
  block(from: string, to: string): void {
    this.#blocked.add(direction(from, to));
  }

  unblock(from: string, to: string): void {
    if (this.#blocked.delete(direction(from, to))) this.#passable();
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(direction(from, to)) || !this.host(from).isUp || !this.host(to).isUp;
  }

  /** Cuts all lines between hosts of different groups, both ways; hosts in no group keep theirs. */
  partition(...groups: readonly (readonly string[])[]): void {
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue;
        for (const from of group) for (const to of other) this.block(from, to);
      }
    }
  }

  /** Cuts a host off from all others, or from those given. */
  isolate(name: string, others: Iterable<string> = this.#hosts.keys()): void {
    for (const other of others) {
      if (other === name) continue;
      this.block(name, other);
      this.block(other, name);
    }
  }

  /** Every line is whole, and as it was at the beginning. */
  heal(): void {
    this.#blocked.clear();
    this.#qualities.clear();
    for (const { near, far } of this.#lines) {
      near.mended();
      far.mended();
    }
    this.#passable();
  }

  /** How the lines are that have no quality of their own. */
  setQuality(quality: Partial<LineQuality>): void {
    this.#quality = { ...this.#quality, ...quality };
  }

  /** How the line is in this direction, until `heal`. */
  setLineQuality(from: string, to: string, quality: Partial<LineQuality>): void {
    this.#qualities.set(direction(from, to), { ...this.#quality, ...quality });
  }

  /** Breaks every connection between two hosts: of what is under way, each end gets the front, and then the news. */
  reset(a: string, b: string): void {
    for (const { near, far } of this.#linesBetween(a, b)) {
      near.reset();
      far.reset();
    }
  }

  /** Breaks every connection between two hosts, and tells only `informed`; the other end learns of it when it sends. */
  halfOpen(informed: string, other: string): void {
    for (const line of this.#linesBetween(informed, other)) {
      (line.nearHost === informed ? line.near : line.far).forsake();
    }
  }

  async #dial(from: string, address: string, signal: AbortSignal): Promise<Connection> {
    const to = hostOf(address);
    await this.#travel(from, to, address, signal);
    const listener = this.host(to).listenerAt(address);
    if (listener === undefined) {
      await this.#travel(to, from, address, signal);
      throw failedToConnect(address, 'nobody listens there');
    }
    const near = this.#connect(from, to, address, listener);
    try {
      await this.#travel(to, from, address, signal);
      return near;
    } catch (error) {
      near.terminate();
      throw error;
    }
  }

  #connect(from: string, to: string, address: string, listener: Listener): SimulatedConnection {
    this.#lastPort += 1;
    let open = 2;
    const { near, far } = SimulatedConnection.pair({
      clock: this.#clock,
      near: { address: `${from}:${this.#lastPort}`, route: this.#route(from, to) },
      far: { address, route: this.#route(to, from) },
      over: () => {
        open -= 1;
        if (open === 0) this.#lines.delete(line);
      },
    });
    const line: Line = { near, far, nearHost: from, farHost: to };
    this.#lines.add(line);
    listener.accept(far);
    return near;
  }

  /** Resolves when something small has got from one host to the other. */
  #travel(from: string, to: string, address: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const givenUp = (): void => {
        timer.cancel();
        this.#travellers = this.#travellers.filter((other) => other !== traveller);
        reject(failedToConnect(address, 'the attempt was given up', signal.reason));
      };
      const arrive = (): void => {
        if (signal.aborted) return;
        if (this.isBlocked(from, to)) {
          this.#travellers.push(traveller);
          return;
        }
        signal.removeEventListener('abort', givenUp);
        resolve();
      };
      const traveller: Traveller = { from, to, arrive };
      const timer = this.#clock.setTimer(this.#latencyMs(from, to), arrive);
      if (signal.aborted) givenUp();
      else signal.addEventListener('abort', givenUp, { once: true });
    });
  }

  /** Lines may have become whole. */
  #passable(): void {
    for (const { near, far } of this.#lines) {
      near.unblocked();
      far.unblocked();
    }
    for (const { from, to, arrive } of this.#travellers.splice(0)) {
      this.#clock.setTimer(this.#latencyMs(from, to), arrive);
    }
  }

  #powerLost(name: string): void {
    for (const { near, far, nearHost, farHost } of this.#lines) {
      if (nearHost === name) near.vanish();
      if (farHost === name) far.vanish();
    }
  }

  #route(from: string, to: string): Route {
    const quality = (): LineQuality => this.#qualityOf(from, to);
    const isBlocked = (): boolean => this.isBlocked(from, to);
    return {
      latencyMs: () => this.#latencyMs(from, to),
      get bytesPerMs() {
        return quality().bytesPerMs;
      },
      get isBlocked() {
        return isBlocked();
      },
      windowBytes: WINDOW_BYTES,
      chance: () => this.#random.next(),
    };
  }

  #latencyMs(from: string, to: string): number {
    const { latencyMs, jitterMs } = this.#qualityOf(from, to);
    return latencyMs + jitterMs * this.#random.next();
  }

  #qualityOf(from: string, to: string): LineQuality {
    return this.#qualities.get(direction(from, to)) ?? this.#quality;
  }

  #linesBetween(a: string, b: string): readonly Line[] {
    return [...this.#lines].filter(
      ({ nearHost, farHost }) => (nearHost === a && farHost === b) || (nearHost === b && farHost === a),
    );
  }
}

/** What a host asks of its network. */
interface HostNetwork {
  dial(from: string, address: string, signal: AbortSignal): Promise<Connection>;
  lost(): void;
  back(): void;
}

/** A machine in the network: dials others and listens. */
export class SimulatedHost implements Dialer {
  readonly name: string;
  readonly #network: HostNetwork;
  readonly #listeners = new Map<string, Listener>();
  #isUp = true;

  constructor(name: string, network: HostNetwork) {
    this.name = name;
    this.#network = network;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection> {
    return this.#network.dial(this.name, address, options.signal);
  }

  /** Takes the connections made to this address of the host; returns how to stop it. Throws a `QuorateError` of code `ADDRESS_IN_USE`. */
  listen(address: string, accept: (connection: Connection) => void): () => void {
    if (this.#listeners.has(address)) {
      throw new QuorateError('ADDRESS_IN_USE', `Cannot listen at ${address}: there is a listener already.`, {
        fields: { address },
      });
    }
    const listener = { accept };
    this.#listeners.set(address, listener);
    return () => {
      if (this.#listeners.get(address) === listener) this.#listeners.delete(address);
    };
  }

  listenerAt(address: string): Listener | undefined {
    return this.#listeners.get(address);
  }

  /** All its connections are gone, and nobody is told: others learn of it by silence, or after it is back. */
  losePower(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#listeners.clear();
    this.#network.lost();
  }

  restorePower(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#network.back();
  }
}

function direction(from: string, to: string): string {
  return `${from}>${to}`;
}

function hostOf(address: string): string {
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/:]+)(?::\d+)?$/i.exec(address)?.[1];
  if (host === undefined) throw failedToConnect(address, 'it is no address of this network');
  return host;
}

function failedToConnect(address: string, why: string, cause?: unknown): QuorateError {
  return new QuorateError('CONNECT_FAILED', `Cannot connect to ${address}: ${why}.`, {
    fields: { address },
    cause,
  });
}
