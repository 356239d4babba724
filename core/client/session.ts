import type { ConnectResponse } from '../protocol/index.js';
import { expectManyListeners } from '../runtime/index.js';
import type { Session } from './client.js';

/** What a client that has no session yet gives as its password. */
export const NO_PASSWORD = new Uint8Array(16);

/** One session, from before a server knows it to its end. */
export class ClientSession implements Session {
  readonly epoch: number;
  #id = 0n;
  #timeoutMs: number;
  #password: Uint8Array = NO_PASSWORD;
  #ensembleId: string | null = null;
  readonly #end = new AbortController();

  /** `timeoutMs` is what will be asked for. */
  constructor(epoch: number, timeoutMs: number) {
    this.epoch = epoch;
    this.#timeoutMs = timeoutMs;
    // Every lock, leadership and registration of the application may wait for the end of its session.
    expectManyListeners(this.#end.signal);
  }

  get id(): bigint {
    return this.#id;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get ensembleId(): string | null {
    return this.#ensembleId;
  }

  /** Proves to a server that this client may go on with the session. */
  get password(): Uint8Array {
    return this.#password;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** A server opened it, or took it over. */
  granted(response: ConnectResponse): void {
    this.#id = response.sessionId;
    this.#timeoutMs = response.timeoutMs;
    this.#ensembleId = response.ensembleId ?? null;
    this.#password = Uint8Array.from(response.password);
  }

  end(reason: Error): void {
    this.#end.abort(reason);
  }
}
