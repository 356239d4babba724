import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export const ZKCLI = '/usr/share/zookeeper/bin/zkCli.sh';
/** Longest that a command, or an event that it causes, may take. */
const PATIENCE_MS = 30_000;
/** A command that only prints a line: it shows that everything before it has been carried out. */
const MARK = 'printwatches';
const MARK_LINE = /^printwatches is (on|off)$/;
const EVENT_LINE = /^WatchedEvent /;
/** After such an event there is no session. */
const DEAD = /state:(AuthFailed|Expired)/;
/** The head of an event, which comes from a thread of its own; what the logger has to say; where in the shell an exception was. */
const NOISE = /^\s*$|^WATCHER::$|^SLF4J: |^\tat /;
/** JVM flags for a short life. */
const ENVIRONMENT = { CLIENT_JVMFLAGS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' };

/** One zkCli.sh, which is told one command at a time. */
export class ShellProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #lines: string[] = [];
  #events: string[] = [];
  #changed: () => void = () => undefined;
  #isGone = false;
  #isConnected = true;

  constructor(args: readonly string[]) {
    // One stream for results and errors keeps their order.
    this.#child = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', ZKCLI, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...ENVIRONMENT },
    });
    this.#child.stdin!.on('error', () => undefined);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#said(line));
    this.#exited = new Promise((resolve) =>
      this.#child.on('close', (code) => {
        this.#isGone = true;
        this.#changed();
        resolve(code);
      }),
    );
  }

  /** Resolves when it is connected. */
  static async start(connect: string): Promise<ShellProcess> {
    const shell = new ShellProcess(['-server', connect]);
    await shell.run(MARK, 1);
    return shell;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Tells it a command and returns what it prints, and after that the events, for which it waits until there are that many. If it
   * ends instead, its exit code is the last line.
   */
  async run(command: string, events = 0): Promise<string[]> {
    this.#child.stdin!.write(`${command}\n`);
    await this.#until(`${events} events of "${command}"`, () => this.#events.length >= events);
    this.#child.stdin!.write(`${MARK}\n`);
    if (command.startsWith('connect ')) this.#isConnected = true;
    if (command === 'close' || this.#events.some((event) => DEAD.test(event))) this.#isConnected = false;
    // Without a connection the mark is followed by a complaint.
    const end = this.#isConnected ? [MARK_LINE] : [MARK_LINE, /^Not connected$/];
    const ends = command === MARK ? 2 : 1;
    await this.#until(`the end of "${command}"`, () => {
      const marks = this.#lines.filter((line) => MARK_LINE.test(line)).length;
      return marks >= ends && end.every((line, index) => line.test(this.#lines.at(index - end.length)!));
    });
    if (this.#isGone) return this.rest();
    const said = [...this.#lines.slice(0, -end.length), ...this.#events];
    this.#lines = [];
    this.#events = [];
    return said;
  }

  /** What it prints until it ends by itself, and its exit code. */
  async rest(): Promise<string[]> {
    await this.#until('the end', () => false);
    return [...this.#lines, ...this.#events, `exit ${await this.#exited}`];
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #said(line: string): void {
    if (NOISE.test(line)) return;
    if (EVENT_LINE.test(line)) this.#events.push(line);
    else this.#lines.push(line);
    this.#changed();
  }

  /** Resolves when the condition holds, or when the shell has ended. */
  async #until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#isGone && !condition()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no sign of ${what}: ${[...this.#lines, ...this.#events].join(' / ')}`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }
}
