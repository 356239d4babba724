/** The worker processes, and everything they have told so far. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Asked, Told } from './told.js';

const WORKER_PROGRAM = fileURLToPath(new URL('./worker.js', import.meta.url));

export type ToldOf<Type extends Told['type']> = Extract<Told, { readonly type: Type }>;

export class Fleet {
  readonly #processes = new Map<string, ChildProcess>();
  readonly #told: Told[] = [];
  readonly #waiting = new Set<() => void>();
  /** Set when a process ended that should not have. */
  #failure: Error | null = null;

  start(names: readonly string[], url: string): void {
    for (const name of names) {
      const child = fork(WORKER_PROGRAM, [name, url], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      child.on('message', (told: Told) => {
        this.#told.push(told);
        this.#wake();
      });
      child.on('exit', (code, signal) => {
        if (code !== 0 && signal !== 'SIGKILL')
          this.#failure = new Error(`${name} ended with ${code ?? signal}`);
        this.#wake();
      });
      this.#processes.set(name, child);
    }
  }

  /** What has been told of one type, oldest first. */
  told<Type extends Told['type']>(type: Type): ToldOf<Type>[] {
    return this.#told.filter((told): told is ToldOf<Type> => told.type === type);
  }

  get running(): string[] {
    return [...this.#processes].filter(([, child]) => isRunning(child)).map(([name]) => name);
  }

  ask(asked: Asked): void {
    for (const name of this.running) this.askOne(name, asked);
  }

  askOne(name: string, asked: Asked): void {
    this.#processes.get(name)?.send(asked);
  }

  /** Ends a process as a crash would: it gets no chance to say goodbye. */
  async kill(name: string): Promise<void> {
    const child = this.#processes.get(name);
    child?.kill('SIGKILL');
    await this.until(`${name} to be gone`, () => !this.running.includes(name), 5_000);
  }

  /** Waits for a condition on what was told; rejects with what was waited for. */
  async until(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (!holds()) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve, reject) => {
        const giveUp = (): void => reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`));
        const wake = (): void => {
          signal.removeEventListener('abort', giveUp);
          this.#waiting.delete(wake);
          resolve();
        };
        if (signal.aborted) giveUp();
        signal.addEventListener('abort', giveUp, { once: true });
        this.#waiting.add(wake);
      });
    }
  }

  /** Asks all to stop; a process that does not within the time is killed and makes this reject. */
  async stop(timeoutMs: number): Promise<void> {
    this.ask({ type: 'stop' });
    try {
      await this.until('all workers to stop', () => this.running.length === 0, timeoutMs);
    } finally {
      for (const child of this.#processes.values()) if (isRunning(child)) child.kill('SIGKILL');
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
