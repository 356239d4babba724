import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tools } from './tools.js';

export interface ScriptedEnsembleOptions {
  readonly servers: number;
  /** So many of them have no vote; ours only. */
  readonly observers?: number;
  /** More flags of `quorate serve`. */
  readonly flags?: string;
}

/** Servers started by a `cluster-*` script, whatever they are, in a directory that goes with them. */
export class ScriptedEnsemble implements AsyncDisposable {
  /** `host:port,host:port` for ZooKeeper's clients. */
  readonly hosts: string;
  readonly #tools: Tools;
  readonly #script: string;
  readonly #directory: string;

  private constructor(hosts: string, tools: Tools, script: string, directory: string) {
    this.hosts = hosts;
    this.#tools = tools;
    this.#script = script;
    this.#directory = directory;
  }

  /** Resolves when every server has taken a write. */
  static async start(
    tools: Tools,
    script: string,
    { servers, observers = 0, flags = '' }: ScriptedEnsembleOptions,
  ): Promise<ScriptedEnsemble> {
    const parent = mkdtempSync(join(tmpdir(), 'bench-ensemble-'));
    const directory = join(parent, 'data');
    try {
      const output = await tools.run(script, ['start', directory, String(servers)], {
        OBSERVERS: String(observers),
        QUORATE_FLAGS: flags,
      });
      const ensemble = new ScriptedEnsemble(output.trim().split('\n').at(-1)!, tools, script, parent);
      running.add(ensemble);
      return ensemble;
    } catch (error) {
      rmSync(parent, { recursive: true, force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    running.delete(this);
    await this.#tools.run(this.#script, ['destroy', join(this.#directory, 'data')]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** For a process that has to end now. */
  abandon(): void {
    execFileSync(this.#script, ['destroy', join(this.#directory, 'data')], { env: this.#tools.environment });
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Its servers are processes that would outlive this one. */
const running = new Set<ScriptedEnsemble>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Not `once`: a second signal must not end this before it has done so.
  process.on(signal, () => {
    for (const ensemble of running) ensemble.abandon();
    process.exit(1);
  });
}
