import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { DIE_WITH_PARENT } from '../../process/ensemble-process.js';
import { CLASS_PATH } from '../clients/curator/suite.js';
import { JVM_FLAGS } from '../servers/index.js';
import { sourceFolder } from '../suite.js';

/** Longest wait for something that a player must say, on a busy machine. */
export const PATIENCE_MS = 40_000;
/** Debian's, for which Debian's kazoo is installed. */
export const PYTHON = '/usr/bin/python3';
export const PROGRAMS = join(sourceFolder(import.meta.url), 'programs');

export const KINDS = ['curator', 'kazoo', 'quorate'] as const;
export type Kind = (typeof KINDS)[number];

/** A process that plays one part of the fleet: it is told what to do by lines, and answers by lines. */
export class Player implements AsyncDisposable {
  readonly kind: Kind;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #said: string[] = [];
  #heard: () => void = () => undefined;

  private constructor(kind: Kind, command: readonly string[]) {
    this.kind = kind;
    const [program, ...args] = [...DIE_WITH_PARENT, ...command];
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin!.on('error', () => undefined);
    this.#child.on('error', (error) => this.#hear(`!! ${String(error)}`));
    this.#gone = new Promise((resolve) => this.#child.once('close', () => resolve()));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#hear(line));
  }

  /** Resolves when it has a session. `classes` is the directory of what was compiled for Curator. */
  static async start(kind: Kind, classes: string, servers: string, sessionMs: number): Promise<Player> {
    const player = new Player(kind, [...commandOf(kind, classes), servers, `${sessionMs}`]);
    await player.says('ready');
    return player;
  }

  /** Tells it what to do. */
  ask(...words: readonly (string | number)[]): void {
    this.#child.stdin!.write(`${words.join(' ')}\n`);
  }

  /** Waits for what it says next, which must be this. */
  async says(expected: string): Promise<void> {
    const said = await this.next();
    if (said !== expected) throw new Error(`${this.kind} should say "${expected}", but says "${said}"`);
  }

  /** Waits until it says this; what it says about other things before is passed over. */
  async tells(expected: string): Promise<void> {
    let said = await this.next();
    while (said !== expected && !said.startsWith('!!')) said = await this.next();
    if (said !== expected) throw new Error(said);
  }

  async next(): Promise<string> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (this.#said.length === 0) {
      if (deadline.aborted) throw new Error(`${this.kind} says nothing`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return this.#said.shift()!;
  }

  /** What it has said and nobody has waited for. */
  get unheard(): readonly string[] {
    return this.#said;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #hear(line: string): void {
    this.#said.push(line);
    this.#heard();
  }
}

function commandOf(kind: Kind, classes: string): readonly string[] {
  const flags = [...JVM_FLAGS, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return {
    curator: ['java', ...flags, '-cp', `${classes}:${CLASS_PATH}`, 'Player'],
    kazoo: [PYTHON, join(PROGRAMS, 'player.py')],
    quorate: [process.execPath, fileURLToPath(new URL('programs/player.js', import.meta.url))],
  }[kind];
}
