import { connect, type Client } from '../../../../core/client/index.js';
import { Embedded } from '../../../../core/server/index.js';
import type { ShellOutput } from '../../../../plugins/cli/shell/shell-output.js';
import { Shell } from '../../../../plugins/cli/shell/shell.js';

/** Keeps what a shell says. */
export class RecordedOutput implements ShellOutput {
  readonly printed: string[] = [];
  readonly errors: string[] = [];

  print(text: string): void {
    this.printed.push(text);
  }

  printError(text: string): void {
    this.errors.push(text);
  }

  /** What was said since the last call. */
  take(): string {
    return [...this.printed.splice(0), ...this.errors.splice(0)].join('\n');
  }
}

/** A shell, and a second client beside it, on a member in this process. */
export class ShellBench implements AsyncDisposable {
  readonly member: Embedded;
  readonly shell: Shell;
  readonly output: RecordedOutput;
  readonly other: Client;

  private constructor(member: Embedded, shell: Shell, output: RecordedOutput, other: Client) {
    this.member = member;
    this.shell = shell;
    this.output = output;
    this.other = other;
  }

  static async start(options: { readonly patienceMs?: number; readonly showsStates?: boolean } = {}) {
    const member = await Embedded.start();
    const open = (url: string): Promise<Client> =>
      connect(url, {
        connectTimeoutMs: 2000,
        dialer: { dial: (_, dialOptions) => member.dialer.dial(member.address, dialOptions) },
      });
    const output = new RecordedOutput();
    const shell = new Shell({
      open,
      url: 'ws://bench',
      output,
      version: '1.2.3',
      patienceMs: options.patienceMs ?? 5000,
      showsStates: options.showsStates ?? false,
    });
    await shell.connect();
    return new ShellBench(member, shell, output, await open('ws://bench'));
  }

  /** What the shell says to a line. */
  async say(line: string): Promise<string> {
    await this.shell.executeLine(line);
    return this.output.take();
  }

  /** Waits until the shell has said `text`, and returns all it has said since the last `say`. */
  async heard(text: string): Promise<string> {
    await until(() => this.output.printed.join('\n').includes(text));
    return this.output.take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell.close();
    await this.other.close();
    await this.member.close();
  }
}

/** Waits for a condition, or fails after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
