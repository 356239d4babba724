import * as assert from 'uvu/assert';
import { connect, OutcomeUnknownError, SessionExpiredError, type Client } from '../../core/client/index.js';
import type { EnsembleProcess } from './ensemble-process.js';

const WRITERS = 3;
/** Creates that a writer has under way at once. */
const IN_FLIGHT = 4;
/** A listing of so many names stays small. */
const CREATES_PER_DIRECTORY = 500;

const WRITES_TO_GO_ON = 100;

type Outcome = 'acknowledged' | 'unknown' | 'refused';

interface Attempt {
  readonly directory: string;
  /** Unique; the sequence number comes behind it. */
  readonly prefix: string;
  readonly outcome: Outcome;
  /** With the sequence number, if it was acknowledged. */
  readonly name: string | null;
}

/** When a write was asked for and when it was acknowledged. */
interface Acknowledgement {
  readonly askedAt: number;
  readonly at: number;
}

export interface WritingLoadOptions {
  readonly root?: string;
  readonly writers?: number;
  readonly sessionTimeoutMs?: number;
  /** That every created znode holds. */
  readonly dataBytes?: number;
}

/**
 * Clients that write without pause, each through a session of its own: sequential znodes, several at a time, and a counter that
 * is set with the version that it must have. Everything is recorded, so that `verify` can tell what must be there, what may be
 * there once, and what must not be there.
 */
export class WritingLoad implements AsyncDisposable {
  readonly #writers: readonly Writer[];
  /** When each write was acknowledged, in order. */
  readonly #acknowledgements: Acknowledgement[] = [];

  private constructor(url: string, options: WritingLoadOptions) {
    const { root = '/load', writers = WRITERS, sessionTimeoutMs = 10_000, dataBytes = 10 } = options;
    const data = new Uint8Array(dataBytes).fill(1);
    const note = (acknowledgement: Acknowledgement): void =>
      void this.#acknowledgements.push(acknowledgement);
    this.#writers = Array.from(
      { length: writers },
      (_, index) => new Writer({ url, path: `${root}/writer-${index}`, sessionTimeoutMs, data, note }),
    );
  }

  /** Resolves when every writer has a session. */
  static async start(url: string, options: WritingLoadOptions = {}): Promise<WritingLoad> {
    const load = new WritingLoad(url, options);
    try {
      await Promise.all(load.#writers.map((writer) => writer.start()));
      return load;
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
  }

  get acknowledged(): number {
    return this.#acknowledgements.length;
  }

  get unknown(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.unknown, 0);
  }

  /** How often a writer lost its session. */
  get sessionsLost(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.sessionEpoch - 1, 0);
  }

  /** The first acknowledgement of a write that was asked for after this moment; undefined if there is none yet. */
  firstAfter(moment: number): number | undefined {
    const from = this.#acknowledgements.findLastIndex(({ at }) => at <= moment) + 1;
    return this.#acknowledgements.slice(from).find(({ askedAt }) => askedAt >= moment)?.at;
  }

  /** The longest time without an acknowledgement, between those two moments. */
  longestGapMs(from: number, to: number): number {
    const moments = [from, ...this.#acknowledgements.map(({ at }) => at), to].filter(
      (at) => at >= from && at <= to,
    );
    return moments.reduce((longest, at, index) => Math.max(longest, at - (moments[index - 1] ?? at)), 0);
  }

  /** Waits until a write that is asked for from now on is acknowledged, and many more are. */
  async goesOn(ensemble: EnsembleProcess): Promise<void> {
    const from = performance.now();
    await ensemble.until('a write', () => this.firstAfter(from) !== undefined);
    const enough = this.acknowledged + WRITES_TO_GO_ON;
    await ensemble.until('further writes', () => this.acknowledged >= enough);
  }

  /** No further write is asked for; resolves when all are settled. Throws what a writer met that has no place in a load. */
  async stop(): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.stop()));
  }

  /** Ends whatever still goes on, unasked how it goes: what a test that failed leaves behind must not keep the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.abandon()));
  }

  /** After `stop`: throws unless each acknowledged write is there once, each unknown one at most once, and no other. */
  async verify(url: string): Promise<void> {
    const client = await connect(url);
    try {
      await client.sync('/');
      for (const writer of this.#writers) await writer.verify(client);
    } finally {
      await client.close();
    }
  }
}

interface WriterOptions {
  readonly url: string;
  readonly path: string;
  readonly sessionTimeoutMs: number;
  readonly data: Uint8Array;
  readonly note: (acknowledgement: Acknowledgement) => void;
}

class Writer {
  readonly #options: WriterOptions;
  readonly #attempts: Attempt[] = [];
  readonly #counter = { acknowledged: 0, unknown: 0, lastVersion: 0 };
  #client: Client | null = null;
  #isStopping = false;
  #next = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get unknown(): number {
    return this.#attempts.filter(({ outcome }) => outcome === 'unknown').length + this.#counter.unknown;
  }

  get sessionEpoch(): number {
    return this.#client!.session.epoch;
  }

  async start(): Promise<void> {
    const { url, path, sessionTimeoutMs } = this.#options;
    this.#client = await connect(url, { sessionTimeoutMs });
    await this.#client.create(`${path}/counter`, '0', { createParents: true });
    const creators = Array.from({ length: IN_FLIGHT }, () => this.#create());
    this.#work = Promise.all([...creators, this.#count()]);
    // `stop` is who throws it.
    this.#work.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#work;
    await this.#client!.close();
  }

  async abandon(): Promise<void> {
    this.#isStopping = true;
    await this.#client?.close();
  }

  async verify(client: Client): Promise<void> {
    const directories = new Set(this.#attempts.map(({ directory }) => directory));
    for (const directory of directories) {
      const attempts = this.#attempts.filter((attempt) => attempt.directory === directory);
      await verifyDirectory(client, directory, attempts);
    }
    await this.#verifyCounter(client);
  }

  async #create(): Promise<void> {
    while (!this.#isStopping) {
      const number = this.#next++;
      const directory = `${this.#options.path}/${Math.floor(number / CREATES_PER_DIRECTORY)}`;
      const prefix = `n${number}-`;
      let name: string | null = null;
      const outcome = await this.#ask(async (client) => {
        const created = await client.create(`${directory}/${prefix}`, this.#options.data, {
          mode: 'persistent-sequential',
          createParents: true,
        });
        name = created.path.slice(directory.length + 1);
      });
      this.#attempts.push({ directory, prefix, outcome, name });
    }
  }

  /** Sets the counter to one more than it was, on the condition that nothing came between. */
  async #count(): Promise<void> {
    const path = `${this.#options.path}/counter`;
    let version = 0;
    while (!this.#isStopping) {
      const expected = version;
      const outcome = await this.#ask(async (client) => {
        const stat = await client.setData(path, `${expected + 1}`, { version: expected });
        assert.is(stat.version, expected + 1, `${path} was set twice`);
        version = stat.version;
      });
      if (outcome === 'acknowledged') {
        this.#counter.acknowledged += 1;
        this.#counter.lastVersion = version;
      } else {
        if (outcome === 'unknown') this.#counter.unknown += 1;
        version = await this.#versionAfter(path, expected, outcome);
      }
    }
  }

  /** Where the counter stands after a write of unknown outcome, which may have been carried out once. */
  async #versionAfter(path: string, expected: number, outcome: Outcome): Promise<number> {
    for (;;) {
      try {
        await this.#client!.sync(path);
        const { stat } = await this.#client!.getData(path);
        const most = outcome === 'unknown' ? expected + 1 : expected;
        assert.ok(stat.version >= expected, `${path} went back from ${expected} to ${stat.version}`);
        assert.ok(
          stat.version <= most,
          `${path} was set more often than asked: ${stat.version}, not ${most}`,
        );
        return stat.version;
      } catch (error) {
        if (!(error instanceof SessionExpiredError)) throw error;
      }
    }
  }

  async #ask(write: (client: Client) => Promise<void>): Promise<Outcome> {
    const askedAt = performance.now();
    try {
      await write(this.#client!);
      this.#options.note({ askedAt, at: performance.now() });
      return 'acknowledged';
    } catch (error) {
      if (error instanceof OutcomeUnknownError) return 'unknown';
      if (error instanceof SessionExpiredError) return 'refused';
      throw error;
    }
  }

  async #verifyCounter(client: Client): Promise<void> {
    const path = `${this.#options.path}/counter`;
    const { acknowledged, unknown, lastVersion } = this.#counter;
    const { data, stat } = await client.getData(path);
    assert.is(new TextDecoder().decode(data), `${stat.version}`, `${path} holds what its last version wrote`);
    assert.ok(
      stat.version >= lastVersion,
      `${path} lost what was acknowledged: ${stat.version} < ${lastVersion}`,
    );
    const most = acknowledged + unknown;
    assert.ok(stat.version >= acknowledged && stat.version <= most, `${path} was set ${stat.version} times`);
  }
}

async function verifyDirectory(
  client: Client,
  directory: string,
  attempts: readonly Attempt[],
): Promise<void> {
  const stat = await client.exists(directory);
  const children = stat === null ? [] : (await client.getChildren(directory)).children;
  const found = new Map<string, string[]>();
  for (const name of children) {
    const prefix = name.slice(0, name.indexOf('-') + 1);
    found.set(prefix, [...(found.get(prefix) ?? []), name]);
  }
  for (const { prefix, outcome, name } of attempts) {
    const names = found.get(prefix) ?? [];
    const isAsItShould =
      outcome === 'acknowledged'
        ? names.length === 1 && names[0] === name
        : names.length <= (outcome === 'unknown' ? 1 : 0);
    assert.ok(
      isAsItShould,
      `${directory}/${prefix} was ${outcome} as ${name}, found: ${names.join(', ') || 'none'}`,
    );
    found.delete(prefix);
  }
  assert.equal([...found.keys()], [], `${directory} holds what nobody asked for`);
}
