import { fourLetterWord } from './four-letter-word.js';

/** Longest that a server may take to serve, on a busy machine. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** How many servers: one that stands alone, or an ensemble. */
export type ServerCount = 1 | 3;

/** What every kind of server takes, with the same meaning. Hard quotas are enforced, TTL znodes allowed. */
export interface ServersOptions {
  /** Unit of session expiry and of the ensemble's limits; ZooKeeper calls it tickTime. */
  readonly tickMs?: number;
  /** How often containers and TTL znodes are looked through. */
  readonly containerCheckMs?: number;
  /** Apache ZooKeeper gives sessions to read-only clients only if it may keep them to one server. Ours needs no leave. */
  readonly localSessions?: boolean;
  /** Passwords for SASL DIGEST-MD5 by user. Default: no SASL. */
  readonly saslUsers?: Readonly<Record<string, string>>;
}

/** Sessions may ask for anything from two short ticks up. */
export const MIN_SESSION_MS = 1_000;
export const MAX_SESSION_MS = 40_000;
export const DEFAULT_TICK_MS = 500;
export const DEFAULT_CONTAINER_CHECK_MS = 500;
/** Of `super:admin`, on every server. */
export const SUPER_DIGEST = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';

/** Servers that speak ZooKeeper's protocol over TCP, each a process of its own on loopback. Ids count from 1. */
export abstract class Servers implements AsyncDisposable {
  abstract readonly ids: readonly number[];

  /** `host:port` of each server, in the order of their ids. */
  get addresses(): readonly string[] {
    return this.ids.map((id) => `127.0.0.1:${this.portOf(id)}`);
  }

  /** For clients: `host:port,host:port`. */
  get connect(): string {
    return this.addresses.join(',');
  }

  abstract portOf(id: number): number;

  abstract get running(): readonly number[];

  /** kill -9; resolves when the process is gone. */
  abstract kill(id: number): Promise<void>;

  /** Starts it on what its directory holds; waits for nothing. */
  abstract launch(id: number): void;

  /** What its processes have said, for a failing run. */
  abstract logOf(id: number): string;

  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Starts it, and resolves when all that run serve. */
  async start(id: number): Promise<void> {
    this.launch(id);
    await this.serving();
  }

  /** Resolves when every server that runs serves, one of them as the leader. */
  async serving(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const modes = await this.#modes();
      const leaders = modes.filter((mode) => mode === 'leader' || mode === 'standalone');
      if (leaders.length === 1 && modes.every((mode) => mode !== null && mode !== 'read-only')) return;
      if (performance.now() > deadline) {
        const logs = this.ids.map((id) => `server ${id}: ${this.logOf(id).slice(-3_000)}`);
        throw new Error(`no service: ${modes.join(', ')}\n${logs.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** The id of the server that leads. */
  async leader(): Promise<number> {
    await this.serving();
    const modes = await this.#modes();
    const index = modes.findIndex((mode) => mode === 'leader' || mode === 'standalone');
    if (index === -1) throw new Error(`nobody leads: ${modes.join(', ')}`);
    return this.running[index]!;
  }

  /** Of each that runs; null where none is served. */
  #modes(): Promise<(string | null)[]> {
    return Promise.all(
      this.running.map(async (id) => {
        const said = await fourLetterWord(`127.0.0.1:${this.portOf(id)}`, 'srvr').catch(() => '');
        return /^Mode: (\S+)$/m.exec(said)?.[1] ?? null;
      }),
    );
  }
}
