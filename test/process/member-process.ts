import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `quorate serve` in a process of its own. */
export class MemberProcess {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  /** Everything on standard error so far. */
  log = '';
  #output = '';
  #exit: Exit | null = null;

  private constructor(
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    wrap: readonly string[] = [],
  ) {
    const [command, ...rest] = [...wrap, process.execPath, COMMAND, 'serve', '--port', '0', ...args];
    this.#child = spawn(command!, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    this.exited = new Promise((resolve) =>
      this.#child.on('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      }),
    );
  }

  /** Spawned; whether it becomes ready is another matter. `wrap` is a command that runs it. */
  static spawn(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    wrap: readonly string[] = [],
  ): MemberProcess {
    return new MemberProcess(args, environment, wrap);
  }

  /** Resolves when it has said where it listens. */
  static async start(
    args: readonly string[],
    environment?: Readonly<Record<string, string>>,
    wrap?: readonly string[],
  ): Promise<MemberProcess> {
    const member = new MemberProcess(args, environment ?? {}, wrap);
    await until(() => member.#output.includes('\n') || member.#exit !== null, 'the ready line');
    if (member.#exit !== null) throw new Error(`the member ended at once: ${member.log}`);
    return member;
  }

  /** What it has said about where it listens. */
  get readyLine(): string {
    return this.#output;
  }

  /** `ws://host:port`, from the ready line. */
  get address(): string {
    return /ready at (\S+)/.exec(this.#output)![1]!;
  }

  get http(): string {
    return this.address.replace('ws:', 'http:');
  }

  /** Of its process. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** Resident memory, in MiB. */
  get residentMib(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  }

  /** Files and sockets that it has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  get isRunning(): boolean {
    return this.#exit === null;
  }

  /** The process stands still, as in a long collection of garbage or on a machine that is suspended. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.exited;
  }
}

export async function until(condition: () => boolean, what: string, limitMs = 30_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`no sign of ${what} within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
