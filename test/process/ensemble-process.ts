import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import type { MemberHealth } from '../../core/server/index.js';
import { MemberProcess, type Exit } from './member-process.js';

/** Longest that anything a test waits for may take on a busy machine. */
const PATIENCE_MS = 60_000;
const POLL_MS = 20;
/** Of each log, when something did not come. */
const LINES_SHOWN = 12;
const CHARACTERS_SHOWN = 300;
const ANSWER_MS = 2_000;
const SECRET = 'of nobody but this test';
/** Below what systems give to outgoing connections, one of which could otherwise take the port of a dead member. */
const LOWEST_PORT = 12_000;
const HIGHEST_PORT = 32_000;
const SETPRIV = '/usr/bin/setpriv';
/** In front of a command: it ends with the process of the test, even if that is killed. */
export const DIE_WITH_PARENT = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : [];

export interface EnsembleProcessOptions {
  readonly voters?: number;
  readonly observers?: number;
  /** Of the addresses of members among themselves; `wss` needs flags with certificates. Default `ws`. */
  readonly scheme?: 'ws' | 'wss';
  /** Further flags for every member. */
  readonly flags?: readonly string[];
  /** Where one member sees another one, if not at its own port. */
  readonly portFor?: (from: number, to: number, port: number) => Promise<number>;
}

/** What is particular about one start of one member. */
export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** An ensemble of which every member is `quorate serve` in a process of its own, on loopback. Disposing of it leaves nothing. */
export class EnsembleProcess implements AsyncDisposable {
  readonly ids: readonly number[];
  readonly #directory: string;
  readonly #ports: ReadonlyMap<number, number>;
  readonly #flags: ReadonlyMap<number, readonly string[]>;
  readonly #running = new Map<number, MemberProcess>();
  /** What earlier processes of the member said. */
  readonly #logs = new Map<number, string>();

  private constructor(
    directory: string,
    ports: ReadonlyMap<number, number>,
    flags: ReadonlyMap<number, readonly string[]>,
  ) {
    this.#directory = directory;
    this.#ports = ports;
    this.#flags = flags;
    this.ids = [...ports.keys()];
  }

  /** Ports and directories are chosen; no member runs. */
  static async prepare(options: EnsembleProcessOptions = {}): Promise<EnsembleProcess> {
    const { voters = 3, observers = 0, scheme = 'ws', flags = [] } = options;
    const { portFor = async (_from, _to, port) => port } = options;
    const directory = await mkdtemp(join(tmpdir(), 'quorate-ensemble-'));
    const ports = new Map<number, number>();
    for (let id = 1; id <= voters + observers; id++) ports.set(id, await freePort([...ports.values()]));
    const flagsOf = new Map<number, readonly string[]>();
    for (const from of ports.keys()) {
      const members: string[] = [];
      for (const [to, port] of ports) {
        const seen = from === to ? port : await portFor(from, to, port);
        members.push(`${to}=${scheme}://127.0.0.1:${seen}${to > voters ? ':observer' : ''}`);
      }
      flagsOf.set(from, ['--ensemble', members.join(','), ...flags]);
    }
    return new EnsembleProcess(directory, ports, flagsOf);
  }

  /** Resolves when every member serves. */
  static async start(options: EnsembleProcessOptions = {}): Promise<EnsembleProcess> {
    const ensemble = await EnsembleProcess.prepare(options);
    try {
      for (const id of ensemble.ids) ensemble.launch(id);
      await ensemble.serving();
      return ensemble;
    } catch (error) {
      await ensemble[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** For clients: these members, or all. */
  url(...ids: readonly number[]): string {
    const wanted = ids.length === 0 ? this.ids : ids;
    return `ws://${wanted.map((id) => `127.0.0.1:${this.portOf(id)}`).join(',')}`;
  }

  portOf(id: number): number {
    return this.#ports.get(id)!;
  }

  dataOf(id: number): string {
    return join(this.#directory, `member-${id}`);
  }

  get running(): readonly number[] {
    return this.ids.filter((id) => this.#running.has(id));
  }

  member(id: number): MemberProcess {
    const member = this.#running.get(id);
    if (member === undefined) throw new Error(`member ${id} does not run`);
    return member;
  }

  /** Everything that the member's processes have logged. */
  logOf(id: number): string {
    return (this.#logs.get(id) ?? '') + (this.#running.get(id)?.log ?? '');
  }

  /** Starts a member on what its directory holds, and waits for nothing. */
  launch(id: number, { environment = {}, flags = [] }: StartOptions = {}): MemberProcess {
    if (this.#running.has(id)) throw new Error(`member ${id} runs already`);
    const identity = ['--id', `${id}`, '--port', `${this.portOf(id)}`, '--data', this.dataOf(id)];
    const member = MemberProcess.spawn(
      [...identity, '--secret', SECRET, ...this.#flags.get(id)!, ...flags],
      environment,
      DIE_WITH_PARENT,
    );
    this.#running.set(id, member);
    void member.exited.then(() => {
      if (this.#running.get(id) === member) this.#running.delete(id);
      this.#logs.set(id, (this.#logs.get(id) ?? '') + member.log);
    });
    return member;
  }

  /** kill -9; resolves when the process is gone. */
  kill(id: number): Promise<Exit> {
    return this.#end(id, 'SIGKILL');
  }

  /** SIGTERM; resolves when the process is gone. */
  stop(id: number): Promise<Exit> {
    return this.#end(id, 'SIGTERM');
  }

  /** Waits until the member's process ends by itself. */
  async exitOf(id: number): Promise<Exit> {
    let exit: Exit | null = null;
    void this.member(id).exited.then((how) => (exit = how));
    await this.until(`member ${id} to end`, () => exit !== null);
    return exit!;
  }

  /** What the member says of itself; null if it does not answer. */
  async health(id: number): Promise<MemberHealth | null> {
    return (await this.#ask(id, 'livez'))?.health ?? null;
  }

  /** Whether `/readyz` invites clients. */
  async isReady(id: number): Promise<boolean> {
    return (await this.#ask(id, 'readyz'))?.status === 200;
  }

  /** Waits until these members, or all that run, serve; returns who leads. */
  async serving(...ids: readonly number[]): Promise<number> {
    const wanted = ids.length === 0 ? this.running : ids;
    let leader: number | undefined;
    await this.until(`members ${wanted.join(', ')} to serve`, async () => {
      if (!(await this.#all(wanted, (id) => this.isReady(id)))) return false;
      leader = await this.leaderAmong(wanted);
      return leader !== undefined;
    });
    return leader!;
  }

  /** Who of them leads and serves, the highest epoch if several say so. */
  async leaderAmong(ids: readonly number[] = this.running): Promise<number | undefined> {
    const healths = await Promise.all(ids.map((id) => this.health(id)));
    return healths
      .filter((health) => health?.state === 'leading' && health.isServing)
      .sort((one, other) => other!.epoch - one!.epoch)[0]?.id;
  }

  /**
   * Waits until all that run have applied the same transactions, and checks that they add up to the same tree. Nothing may
   * be writing.
   */
  async converged(): Promise<void> {
    let healths: readonly (MemberHealth | null)[] = [];
    await this.until('all members to have applied the same', async () => {
      healths = await Promise.all(this.running.map((id) => this.health(id)));
      return healths.every((health) => health?.isServing === true && health.zxid === healths[0]?.zxid);
    });
    const digests = new Set(healths.map((health) => health?.digest));
    if (digests.size !== 1) {
      const found = healths.map((health) => `${health?.id}: ${health?.zxid} ${health?.digest}`).join('; ');
      throw new Error(`the trees differ at the same zxid: ${found}`);
    }
  }

  /** Polls the condition; what it says when time is up names what was waited for and how every member is. */
  async until(
    what: string,
    condition: () => Promise<boolean> | boolean,
    limitMs = PATIENCE_MS,
  ): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!(await condition())) {
      if (performance.now() > deadline)
        throw new Error(`waited ${limitMs} ms for ${what}\n${await this.#describe()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((member) => member.kill('SIGKILL')));
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #end(id: number, signal: NodeJS.Signals): Promise<Exit> {
    return this.member(id).kill(signal);
  }

  async #all(ids: readonly number[], holds: (id: number) => Promise<boolean>): Promise<boolean> {
    return (await Promise.all(ids.map(holds))).every(Boolean);
  }

  async #ask(
    id: number,
    page: 'livez' | 'readyz',
  ): Promise<{ readonly status: number; readonly health: MemberHealth } | null> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.portOf(id)}/${page}`, {
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      return { status: answer.status, health: (await answer.json()) as MemberHealth };
    } catch {
      return null;
    }
  }

  async #describe(): Promise<string> {
    const told = this.ids.map(async (id) => {
      const health = this.#running.has(id) ? JSON.stringify(await this.health(id)) : 'does not run';
      const log = this.logOf(id).trim().split('\n').slice(-LINES_SHOWN);
      return `member ${id}: ${health}\n${log.map((line) => line.slice(0, CHARACTERS_SHOWN)).join('\n')}`;
    });
    return (await Promise.all(told)).join('\n');
  }
}

/** Free on loopback at this moment, and none of `taken`. */
export async function freePort(taken: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    if (!taken.includes(port) && (await canListen(port))) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
