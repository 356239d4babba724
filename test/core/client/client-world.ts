import {
  createClient,
  exponentialBackoff,
  type Client,
  type ClientOptions,
} from '../../../core/client/index.js';
import { SeededRandom, type Logger } from '../../../core/runtime/index.js';
import { VirtualClock } from '../../../core/testing/index.js';
import { MemoryNetwork } from '../../../core/transport/index.js';
import { ScriptedServer } from './scripted-server.js';
import { ScriptedWorld } from './scripted-world.js';

export const SESSION_TIMEOUT_MS = 9000;

type WorldClientOptions = ClientOptions & { readonly chroot?: string };

/** A clock, a network, servers `memory://a:1`, `memory://b:1`… that share one world, and clients on them. */
export class ClientWorld {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly world = new ScriptedWorld();
  readonly servers: ScriptedServer[];
  readonly #clients: Client[] = [];

  constructor(servers = 1) {
    this.servers = ['a', 'b', 'c', 'd', 'e']
      .slice(0, servers)
      .map((host) => new ScriptedServer(this.network, this.clock, `memory://${host}:1`, this.world));
  }

  get server(): ScriptedServer {
    return this.servers[0]!;
  }

  get connectString(): string {
    return `memory://${this.servers.map(({ address }) => address.slice('memory://'.length)).join(',')}`;
  }

  client(options: WorldClientOptions = {}): Client {
    const { chroot = '', ...rest } = options;
    const client = createClient(this.connectString + chroot, {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      clock: this.clock,
      random: new SeededRandom(1),
      dialer: this.network,
      retry: exponentialBackoff({ jitter: 0 }),
      ...rest,
    });
    this.#clients.push(client);
    return client;
  }

  async connected(options: WorldClientOptions = {}): Promise<Client> {
    const client = this.client(options);
    await this.until(() => client.state === 'connected');
    return client;
  }

  until(condition: () => boolean, maxMs = 60_000): Promise<void> {
    return this.clock.runUntil(condition, maxMs);
  }

  /** Waits on the virtual clock for a promise. */
  get<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    return this.clock.waitFor(promise, maxMs);
  }

  /** What a promise rejects with. */
  failure(promise: Promise<unknown>, maxMs = 60_000): Promise<unknown> {
    const failed = promise.then(
      (value) => {
        throw new Error(`it was expected to reject, but gave ${String(value)}`);
      },
      (error: unknown) => error,
    );
    return this.get(failed, maxMs);
  }

  async close(): Promise<void> {
    await this.get(Promise.all(this.#clients.map((client) => client.close())));
  }
}

/** Notes lines as they are logged, with their level in front. */
export function recordingLogger(lines: string[]): Logger {
  const note =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level}: ${message}`);
  const logger: Logger = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => logger,
  };
  return logger;
}
