import type { LogFields, Logger } from '../../../core/runtime/index.js';
import { Embedded, type EmbeddedOptions } from '../../../core/server/index.js';
import { MemoryDisk } from '../../../core/storage/index.js';
import { SeededRandom, VirtualClock } from '../../../core/testing/index.js';
import { RawClient } from './raw-client.js';

/** Longest that anything a test waits for takes, in virtual time. */
const PATIENCE_MS = 120_000;

/** Keeps the messages of what is logged. */
export class LogBook implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  debug = (message: string, fields: LogFields = {}): void => this.#note('debug', message, fields);
  info = (message: string, fields: LogFields = {}): void => this.#note('info', message, fields);
  warn = (message: string, fields: LogFields = {}): void => this.#note('warn', message, fields);
  error = (message: string, fields: LogFields = {}): void => this.#note('error', message, fields);
  child = (): Logger => this;

  has(pattern: RegExp): boolean {
    return this.lines.some(({ message }) => pattern.test(message));
  }

  #note(level: string, message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields });
  }
}

/** A member in memory on a virtual clock, and the clients that a test opens to it. */
export class World implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly log: LogBook;
  readonly disk: MemoryDisk;
  readonly embedded: Embedded;
  readonly #options: EmbeddedOptions;

  private constructor(
    embedded: Embedded,
    clock: VirtualClock,
    disk: MemoryDisk,
    log: LogBook,
    options: EmbeddedOptions,
  ) {
    this.embedded = embedded;
    this.clock = clock;
    this.disk = disk;
    this.log = log;
    this.#options = options;
  }

  static start(options: EmbeddedOptions = {}): Promise<World> {
    return World.#start(new VirtualClock(), new MemoryDisk(new SeededRandom(7)), options);
  }

  static async #start(clock: VirtualClock, disk: MemoryDisk, given: EmbeddedOptions): Promise<World> {
    const log = new LogBook();
    const options = { secret: new Uint8Array(32).fill(3), ...given };
    const random = new SeededRandom(11);
    const starting = Embedded.start({ clock, disk, random, logger: log, ...options });
    return new World(await clock.waitFor(starting, PATIENCE_MS), clock, disk, log, options);
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.clock.waitFor(promise, PATIENCE_MS);
  }

  /** Connected, but silent. */
  dial(): Promise<RawClient> {
    return this.wait(RawClient.dial(this.embedded.dialer, this.embedded.address));
  }

  /** A client with a new session. */
  async open(timeoutMs = 10_000): Promise<RawClient> {
    const client = await this.dial();
    await this.wait(client.connect({ timeoutMs }));
    return client;
  }

  /** Stops the member in order and starts another one on what it left. */
  async restart(): Promise<World> {
    await this.close();
    return World.#start(this.clock, this.disk, this.#options);
  }

  /** The process dies at this moment; another member starts on what its disk kept. */
  crash(): Promise<World> {
    this.disk.crash();
    return World.#start(this.clock, this.disk, this.#options);
  }

  close(): Promise<void> {
    return this.wait(this.embedded.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
