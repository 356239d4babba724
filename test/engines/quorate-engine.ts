import { WebSocketDialer } from '../../core/transport/index.js';
import { EnsembleProcess } from '../process/ensemble-process.js';
import type { Engine } from './engine.js';

const TICK_MS = 200;

/** Three members of Quorate, each a process of its own. */
export class QuorateEngine implements Engine {
  readonly name = 'ws://';
  readonly dialer = new WebSocketDialer();
  readonly #ensemble: EnsembleProcess;

  private constructor(ensemble: EnsembleProcess) {
    this.#ensemble = ensemble;
  }

  static async start(): Promise<QuorateEngine> {
    const flags = ['--tick-ms', `${TICK_MS}`];
    return new QuorateEngine(await EnsembleProcess.start({ flags }));
  }

  url(chroot: string): string {
    return this.#ensemble.url() + chroot;
  }

  connectString(place: string): string {
    return this.url(`/${place}`);
  }

  async restartServer(): Promise<void> {
    const leader = await this.#ensemble.serving();
    await this.#ensemble.kill(leader);
    this.#ensemble.launch(leader);
    await this.#ensemble.serving(...this.#ensemble.ids);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ensemble[Symbol.asyncDispose]();
  }
}
