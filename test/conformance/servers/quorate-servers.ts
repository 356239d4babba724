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

  private constructor(ensemble: EnsembleProcess, ports: ReadonlyMap<number, number>) {
    super();
    this.#ensemble = ensemble;
    this.#ports = ports;
    this.ids = ensemble.ids;
  }

  /** Resolves when all of them serve. */
  static async start(count: ServerCount, options: ServersOptions = {}): Promise<QuorateServers> {
    const ensemble = await EnsembleProcess.prepare({ voters: count, flags: flagsFor(options) });
    const taken = ensemble.ids.map((id) => ensemble.portOf(id));
    const ports = new Map<number, number>();
    for (const id of ensemble.ids) {
      const port = await freePort(taken);
      taken.push(port);
      ports.set(id, port);
    }
    const servers = new QuorateServers(ensemble, ports);
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
  }
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
