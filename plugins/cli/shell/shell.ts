import type { Client, ConnectionState } from '../../../core/client/index.js';
import { splitCommandLine } from './command-line.js';
import { commands } from './commands/registry.js';
import { parseArguments, usageOf } from './command.js';
import { ShellError, describeError } from './shell-error.js';
import type { ShellOutput } from './shell-output.js';
import { unlessOutOfReach } from './patience.js';
import { WatchBook } from './watch-book.js';

export interface ShellOptions {
  /** A client that is connected. Rejects if none can be had. */
  readonly open: (url: string) => Promise<Client>;
  readonly url: string;
  readonly output: ShellOutput;
  /** Of this package, for `version`. */
  readonly version: string;
  /** How long a command waits while no server is in reach. Milliseconds. */
  readonly patienceMs: number;
  /** Whether changes of the connection's state are shown as events. */
  readonly showsStates?: boolean;
}

/** Commands about the shell itself, with their usage. */
const OWN_COMMANDS: Readonly<Record<string, string>> = {
  close: '',
  connect: 'url',
  help: '',
  history: '',
  quit: '',
  redo: 'cmdno',
  version: '',
};

/** How many commands `history` shows. */
const HISTORY_SHOWN = 11;
const HISTORY_KEPT = 1000;

const STATE_NAMES: Readonly<Partial<Record<ConnectionState, string>>> = {
  connected: 'SyncConnected',
  suspended: 'Disconnected',
  lost: 'Expired',
  closed: 'Closed',
};

/** Carries out commands, one after the other, over one client at a time. Nothing that a command meets makes it throw. */
export class Shell {
  private readonly options: ShellOptions;
  private readonly output: ShellOutput;
  private readonly watches: WatchBook;
  private present: Client | null = null;
  private url: string;
  /** Number of the next command. */
  private count = 0;
  private readonly lines = new Map<number, string>();
  private quitting = false;

  constructor(options: ShellOptions) {
    this.options = options;
    this.output = options.output;
    this.url = options.url;
    this.watches = new WatchBook(options.output);
  }

  /** Names of all commands, in order. */
  static get commandNames(): readonly string[] {
    return [...commands.keys(), ...Object.keys(OWN_COMMANDS)].sort();
  }

  /** Null before `connect` and after `close`. */
  get client(): Client | null {
    return this.present;
  }

  /** True from the moment `quit` was given. */
  get isQuitting(): boolean {
    return this.quitting;
  }

  get prompt(): string {
    return `[quorate: ${this.url}(${(this.present?.state ?? 'closed').toUpperCase()}) ${this.count}] `;
  }

  /** Leaves the present server, if any, and opens a session at `url`. Rejects if none can be had. */
  async connect(url: string = this.url): Promise<void> {
    await this.close();
    this.url = url;
    const client = await this.options.open(url);
    this.present = client;
    if (this.options.showsStates !== true) return;
    const show = (state: ConnectionState): void => {
      const name = STATE_NAMES[state];
      if (name !== undefined) this.watches.printState(name);
    };
    show(client.state);
    client.onState(show);
  }

  /** Ends the session. */
  async close(): Promise<void> {
    const client = this.present;
    this.present = null;
    await client?.close();
  }

  /** Carries out a line as it was typed, and remembers it. True if it succeeded or there was nothing to do. */
  async executeLine(line: string): Promise<boolean> {
    if (line.trim() === '') return true;
    this.lines.set(this.count, line);
    this.lines.delete(this.count - HISTORY_KEPT);
    const succeeded = await this.attempt(() => this.runWords(splitCommandLine(line)));
    this.count++;
    return succeeded;
  }

  /** Carries out one command that is in words already. True if it succeeded. */
  execute(words: readonly string[]): Promise<boolean> {
    return this.attempt(() => this.runWords(words));
  }

  private async attempt(run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      this.output.printError(describeError(error));
      return false;
    }
  }

  private async runWords([name = '', ...rest]: readonly string[]): Promise<void> {
    const command = commands.get(name);
    if (command === undefined) return this.runOwn(name, rest);
    const given = parseArguments(command, rest);
    const { output, watches, present: client } = this;
    if (client === null) throw new ShellError('Not connected');
    await unlessOutOfReach(command.run({ client, output, watches }, given), client, this.options.patienceMs);
  }

  private async runOwn(name: string, rest: readonly string[]): Promise<void> {
    switch (name) {
      case 'close':
        return this.close();
      case 'connect':
        return this.connect(rest[0]);
      case 'help':
        return this.output.print(this.usage());
      case 'history':
        return this.printHistory();
      case 'quit':
        this.quitting = true;
        this.watches.isPrinting = false;
        return this.close();
      case 'redo':
        return this.redo(rest[0]);
      case 'version':
        return this.output.print(`Quorate CLI version: ${this.options.version}`);
      default:
        this.output.printError(this.usage());
        throw new ShellError(name === '' ? 'No command entered' : `Command not found: ${name}`);
    }
  }

  private usage(): string {
    const lines = Shell.commandNames.map((name) => {
      const usage = commands.get(name)?.usage ?? OWN_COMMANDS[name] ?? '';
      return `\t${usageOf({ name, usage })}`;
    });
    return ['quorate shell [--connect url] [command…]', ...lines].join('\n');
  }

  private printHistory(): void {
    for (let number = this.count - HISTORY_SHOWN + 1; number <= this.count; number++) {
      const line = this.lines.get(number);
      if (line !== undefined) this.output.print(`${number} - ${line}`);
    }
  }

  private async redo(text: string | undefined): Promise<void> {
    if (text === undefined || !/^\d+$/.test(text)) throw new ShellError('redo cmdno');
    const number = Number(text);
    const line = number < this.count ? this.lines.get(number) : undefined;
    if (line === undefined) throw new ShellError('Command index out of range');
    const words = splitCommandLine(line);
    if (words[0] === 'redo') throw new ShellError('No redoing redos');
    this.lines.set(this.count, line);
    await this.runWords(words);
  }
}
