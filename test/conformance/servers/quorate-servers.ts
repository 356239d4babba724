import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnsembleProcess, freePort } from '../../process/ensemble-process.js';
import {
  DEFAULT_CONTAINER_CHECK_MS,
  DEFAULT_TICK_MS,
  MAX_SESSION_MS,
  MIN_SESSION_MS,
  Servers,
  SUPER_DIGEST,
  type ServerCount,
  type ServersOptions,
} from './servers.js';

/** `quorate serve --zookeeper-port`: one member, or an ensemble of three. */
export class QuorateServers extends Servers {
  readonly ids: readonly number[];
  readonly #ensemble: EnsembleProcess;
  readonly #ports: ReadonlyMap<number, number>;

  /** Of the list of users; null without SASL. */
  readonly #directory: string | null;

  private constructor(
    ensemble: EnsembleProcess,
    ports: ReadonlyMap<number, number>,
    directory: string | null,
  ) {
    super();
    this.#ensemble = ensemble;
    this.#ports = ports;
    this.#directory = directory;
    this.ids = ensemble.ids;
  }

  /** Resolves when all of them serve. */
  static async start(count: ServerCount, options: ServersOptions = {}): Promise<QuorateServers> {
    const { saslUsers } = options;
    const directory = saslUsers === undefined ? null : await mkdtemp(join(tmpdir(), 'quorate-sasl-'));
    const flags = flagsFor(options);
    if (directory !== null) flags.push('--sasl-users-file', await writeUsers(directory, saslUsers!));
    const ensemble = await EnsembleProcess.prepare({ voters: count, flags });
    const taken = ensemble.ids.map((id) => ensemble.portOf(id));
    const ports = new Map<number, number>();
    for (const id of ensemble.ids) {
      const port = await freePort(taken);
      taken.push(port);
      ports.set(id, port);
    }
    const servers = new QuorateServers(ensemble, ports, directory);
    try {
      for (const id of servers.ids) servers.launch(id);
      await servers.serving();
      return servers;
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
  }

  portOf(id: number): number {
    return this.#ports.get(id)!;
  }

  get running(): readonly number[] {
    return this.#ensemble.running;
  }

  logOf(id: number): string {
    return this.#ensemble.logOf(id);
  }

  launch(id: number): void {
    this.#ensemble.launch(id, { flags: ['--zookeeper-port', `${this.portOf(id)}`] });
  }

  async kill(id: number): Promise<void> {
    await this.#ensemble.kill(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ensemble[Symbol.asyncDispose]();
    if (this.#directory !== null) await rm(this.#directory, { recursive: true, force: true });
  }
}

async function writeUsers(directory: string, users: Readonly<Record<string, string>>): Promise<string> {
  const file = join(directory, 'users');
  const lines = Object.entries(users).map(([user, password]) => `${user}:${password}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
  return file;
}

function flagsFor(options: ServersOptions): string[] {
  const values = {
    '--tick-ms': options.tickMs ?? DEFAULT_TICK_MS,
    '--min-session-ms': MIN_SESSION_MS,
    '--max-session-ms': MAX_SESSION_MS,
    '--super-digest': SUPER_DIGEST,
    '--container-check-ms': options.containerCheckMs ?? DEFAULT_CONTAINER_CHECK_MS,
  };
  const flags = Object.entries(values).flatMap(([flag, value]) => [flag, `${value}`]);
  return [...flags, '--enforce-quota'];
}
