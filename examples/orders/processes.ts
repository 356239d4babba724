/** The processes of the application, started and ended from one place. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Role } from './process.js';

const PROGRAM = fileURLToPath(new URL('./process.js', import.meta.url));

export class Processes {
  readonly #url: string;
  readonly #running = new Map<string, ChildProcess>();

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves when the application in it runs. */
  async start(name: string, role: Role): Promise<void> {
    const child = fork(PROGRAM, [name, role, this.#url]);
    this.#running.set(name, child);
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`${name} ended with ${code} before it ran`);
      }),
    ]);
  }

  /** Ends a process as a crash would. */
  async kill(name: string): Promise<void> {
    await this.#end(name, 'SIGKILL');
  }

  /** Stops all of them in order; resolves with the names of those that did not end as they should. */
  async stop(): Promise<string[]> {
    const names = [...this.#running.keys()];
    const ends = await Promise.all(names.map(async (name) => (await this.#end(name, 'SIGTERM')) === 0));
    return names.filter((_, index) => !ends[index]);
  }

  /** For the way out when something went wrong. */
  killAll(): void {
    for (const child of this.#running.values()) child.kill('SIGKILL');
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#running.get(name);
    if (child === undefined) throw new Error(`there is no process ${name}`);
    this.#running.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }
}
