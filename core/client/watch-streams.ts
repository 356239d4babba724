import { AddWatchMode, WatchEventType, WatcherType, type WatchEvent } from '../protocol/index.js';
import type { WatchStreamEvent } from './client.js';
import { ConnectionLossError } from './errors.js';
import { EventStream } from './event-stream.js';
import { parentOf } from './path.js';
import { eventName } from './watch-registry.js';

/** Events that wait for a slow consumer, of about 200 bytes each; what is more becomes one `armed`. A server tells of thousands in one message. */
const STREAM_LIMIT = 8_192;

/** How the server is told about a registration, and how it is taken back. */
export interface StreamWire {
  /**
   * Sends `addWatch`. Calls `armed` when the answer is read, before any event behind it; rejects if the server
   * refuses, or with `ConnectionLossError` when the connection breaks.
   */
  add(registration: StreamRegistration, armed: () => void): Promise<void>;
  /** Sends `removeWatches`; whether it succeeds does not matter. */
  remove(registration: StreamRegistration): void;
}

/** One path on the server, however many streams listen to it. */
export interface StreamRegistration {
  readonly path: string;
  readonly isRecursive: boolean;
  /** `mode` of `addWatch` and `type` of `removeWatches`. */
  readonly mode: number;
  readonly watcherType: number;
}

class Registration implements StreamRegistration {
  readonly path: string;
  readonly isRecursive: boolean;
  readonly streams = new Set<EventStream<WatchStreamEvent>>();
  /** The server of the present connection has confirmed it. */
  isArmed = false;

  constructor(path: string, isRecursive: boolean) {
    this.path = path;
    this.isRecursive = isRecursive;
  }

  get mode(): number {
    return this.isRecursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent;
  }

  get watcherType(): number {
    return this.isRecursive ? WatcherType.persistentRecursive : WatcherType.persistent;
  }

  arm(): void {
    if (this.isArmed) return;
    this.isArmed = true;
    for (const stream of this.streams) stream.push({ type: 'armed', path: this.path });
  }

  push(event: WatchStreamEvent): void {
    if (this.isArmed) for (const stream of this.streams) stream.push(event);
  }
}

/**
 * The persistent watches of a client as streams. What is listened to is registered once per path and kind, again on
 * every new connection, and taken back when the last stream has ended. A stream sees `armed` first, and again
 * whenever events may have been missed: after a reconnection, or when its consumer was too slow.
 */
export class WatchStreams {
  readonly #wire: StreamWire;
  readonly #plain = new Map<string, Registration>();
  readonly #recursive = new Map<string, Registration>();
  #isLinked = false;

  constructor(wire: StreamWire) {
    this.#wire = wire;
  }

  open(
    path: string,
    options: { readonly isRecursive: boolean; readonly signal?: AbortSignal | undefined },
  ): EventStream<WatchStreamEvent> {
    const bounds = { limit: STREAM_LIMIT, overflow: (): WatchStreamEvent[] => [{ type: 'armed', path }] };
    if (options.signal?.aborted === true) return new EventStream({ ...bounds, signal: options.signal });
    const registration = this.#register(path, options.isRecursive);
    const stream: EventStream<WatchStreamEvent> = new EventStream({
      ...bounds,
      signal: options.signal,
      ended: () => this.#leave(registration, stream),
    });
    registration.streams.add(stream);
    if (registration.isArmed) stream.push({ type: 'armed', path });
    else if (registration.streams.size === 1 && this.#isLinked) this.#add(registration);
    return stream;
  }

  /** Hands an event to whoever listens to its path or, recursively, above it. */
  dispatch(event: WatchEvent, path: string, zxid: bigint): void {
    const streamEvent: WatchStreamEvent = { type: eventName(event.type), path, zxid };
    this.#plain.get(path)?.push(streamEvent);
    if (this.#recursive.size === 0 || event.type === WatchEventType.childrenChanged) return;
    for (let at = path; ; at = parentOf(at)) {
      this.#recursive.get(at)?.push(streamEvent);
      if (at === '/') return;
    }
  }

  /** There is a new connection: what has to be registered on it. The caller says `armed` when that is confirmed. */
  relink(): readonly StreamRegistration[] {
    this.#isLinked = true;
    return this.#all();
  }

  armed(registrations: readonly StreamRegistration[]): void {
    for (const registration of registrations) (registration as Registration).arm();
  }

  /** The server takes no registrations: whoever listens is told. */
  refused(registrations: readonly StreamRegistration[], error: unknown): void {
    for (const { streams } of registrations as readonly Registration[]) {
      for (const stream of streams) stream.fail(error);
    }
  }

  /** Whether there is a registration of either kind. */
  isListening(path: string): boolean {
    return this.#plain.has(path) || this.#recursive.has(path);
  }

  /** The connection is gone, and with it the server's registrations. */
  unlink(): void {
    this.#isLinked = false;
    for (const registration of this.#all()) registration.isArmed = false;
  }

  /** Ends every stream. */
  end(): void {
    this.#isLinked = false;
    for (const registration of this.#all()) for (const stream of registration.streams) stream.end();
  }

  #register(path: string, isRecursive: boolean): Registration {
    const table = this.#tableOf(isRecursive);
    const existing = table.get(path);
    if (existing !== undefined) return existing;
    const registration = new Registration(path, isRecursive);
    table.set(path, registration);
    return registration;
  }

  #leave(registration: Registration, stream: EventStream<WatchStreamEvent>): void {
    registration.streams.delete(stream);
    const table = this.#tableOf(registration.isRecursive);
    if (registration.streams.size > 0 || table.get(registration.path) !== registration) return;
    table.delete(registration.path);
    if (this.#isLinked) this.#wire.remove(registration);
  }

  #add(registration: Registration): void {
    const refused = (error: unknown): void => {
      // On a broken connection nothing is decided: the next one registers anew.
      if (error instanceof ConnectionLossError) return;
      this.refused([registration], error);
    };
    this.#wire.add(registration, () => registration.arm()).catch(refused);
  }

  #all(): Registration[] {
    return [...this.#plain.values(), ...this.#recursive.values()];
  }

  #tableOf(isRecursive: boolean): Map<string, Registration> {
    return isRecursive ? this.#recursive : this.#plain;
  }
}
