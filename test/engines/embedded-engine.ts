import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Embedded } from '../../core/server/index.js';
import type { Dialer } from '../../core/transport/index.js';
import type { Engine } from './engine.js';

const TICK_MS = 200;

/** One durable member inside this process. */
export class EmbeddedEngine implements Engine {
  readonly name = 'embedded:';
  readonly dialer: Dialer = {
    dial: (_address, options) => this.#member.dialer.dial(this.#member.address, options),
  };
  readonly #directory: string;
  #member: Embedded;

  private constructor(directory: string, member: Embedded) {
    this.#directory = directory;
    this.#member = member;
  }

  static async start(): Promise<EmbeddedEngine> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-embedded-'));
    return new EmbeddedEngine(directory, await startMember(directory));
  }

  url(chroot: string): string {
    return `ws://embedded${chroot}`;
  }

  connectString(place: string): string {
    return `embedded:${join(this.#directory, 'places', place)}`;
  }

  async restartServer(): Promise<void> {
    await this.#member.close();
    this.#member = await startMember(this.#directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#member.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function startMember(directory: string): Promise<Embedded> {
  return Embedded.start({ data: join(directory, 'member'), tickMs: TICK_MS });
}
