/**
 * Sessions that write and read at a given rate, and know what must be there: each writes numbers to a znode of its own, one higher each
 * time. Whatever becomes of a member, what was acknowledged is there, and what was refused is not.
 */
import { connect, OutcomeUnknownError, type Client } from '../../core/client/index.js';
import { sleep } from './client-load.js';

const ROOT = '/soak';
const TICK_MS = 20;
/** Of one session. */
const MOST_OUTSTANDING = 256;
const BYTES = 128;
/** A session beside these comes, leaves and takes its ephemeral along, so often. */
const VISIT_MS = 1000;

export class SoakLoad {
  readonly #clients: readonly Client[];
  readonly #writers: readonly Writer[];
  readonly #url: string;
  #over = new AbortController();
  #working: Promise<unknown> = Promise.resolve();
  visits = 0;

  private constructor(url: string, clients: readonly Client[]) {
    this.#url = url;
    this.#clients = clients;
    this.#writers = clients.map((client, index) => new Writer(client, `${ROOT}/w${index}`));
  }

  static async start(url: string, sessions: number): Promise<SoakLoad> {
    const clients = await Promise.all(Array.from({ length: sessions }, () => connect(url)));
    await clients[0]!.create(ROOT);
    await clients[0]!.create(`${ROOT}/visitors`);
    const load = new SoakLoad(url, clients);
    await Promise.all(load.#writers.map((writer) => writer.begin()));
    return load;
  }

  get acknowledged(): number {
    return this.#sum(({ acknowledged }) => acknowledged);
  }

  get unknown(): number {
    return this.#sum(({ unknown }) => unknown);
  }

  get refused(): number {
    return this.#sum(({ refused }) => refused);
  }

  get reads(): number {
    return this.#sum(({ reads }) => reads);
  }

  /** What has gone wrong, in words; it should be empty. */
  get complaints(): readonly string[] {
    return this.#writers.flatMap(({ complaints }) => complaints);
  }

  /** Longest time since this was last asked in which no write of anybody was acknowledged, milliseconds. */
  takeLongestGap(): number {
    return Writer.takeLongestGap();
  }

  /** So many writes, and as many reads, in a second, by all together; Infinity is as fast as it goes. */
  work(perSecond: number): void {
    this.#over = new AbortController();
    const { signal } = this.#over;
    Writer.beginGap();
    const each = perSecond / this.#writers.length;
    const working = this.#writers.map((writer) => writer.work(each, signal));
    this.#working = Promise.all([...working, this.#receive(signal)]);
  }

  /** Resolves when everything that was asked for has been answered. */
  async rest(): Promise<void> {
    this.#over.abort();
    await this.#working;
  }

  /** Complains of every acknowledged write that is not there. */
  async verify(): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.verify()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  /** Visitors, one after the other: what a session leaves behind in a member would add up. */
  async #receive(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const visitor = await connect(this.#url);
      try {
        const { path } = await visitor.create(`${ROOT}/visitors/v-`, null, { mode: 'ephemeral-sequential' });
        await visitor.exists(path, { watch: () => undefined });
        await visitor.getData(ROOT, { watch: () => undefined });
        this.visits += 1;
      } catch {
        // A member was killed under it: the next one comes soon.
      } finally {
        await visitor.close();
      }
      await sleep(VISIT_MS);
    }
  }

  #sum(of: (writer: Writer) => number): number {
    return this.#writers.reduce((sum, writer) => sum + of(writer), 0);
  }
}

class Writer {
  static #lastAcknowledgedAt = performance.now();
  static #longestGap = 0;

  acknowledged = 0;
  unknown = 0;
  refused = 0;
  reads = 0;
  readonly complaints: string[] = [];
  readonly #client: Client;
  readonly #path: string;
  #next = 1;
  /** Highest number, and highest version, that was acknowledged. */
  #number = 0;
  #version = 0;
  #outstanding = 0;

  constructor(client: Client, path: string) {
    this.#client = client;
    this.#path = path;
  }

  static beginGap(): void {
    Writer.#lastAcknowledgedAt = performance.now();
    Writer.#longestGap = 0;
  }

  static takeLongestGap(): number {
    const longest = Math.max(Writer.#longestGap, performance.now() - Writer.#lastAcknowledgedAt);
    Writer.#longestGap = 0;
    return longest;
  }

  async begin(): Promise<void> {
    await this.#client.create(this.#path, '0');
  }

  async work(perSecond: number, signal: AbortSignal): Promise<void> {
    let [owed, at] = [0, performance.now()];
    const under = new Set<Promise<void>>();
    const begin = (task: Promise<void>): void => {
      this.#outstanding += 1;
      const done = task.finally(() => {
        this.#outstanding -= 1;
        under.delete(done);
      });
      under.add(done);
    };
    while (!signal.aborted) {
      const now = performance.now();
      // What could not be asked for in its time is not made up for.
      const due = Number.isFinite(perSecond) ? (perSecond * (now - at)) / 1000 : MOST_OUTSTANDING;
      owed = Math.min(MOST_OUTSTANDING, owed + due);
      at = now;
      for (; owed >= 1 && this.#outstanding < MOST_OUTSTANDING; owed--) {
        begin(this.#write());
        begin(this.#read());
      }
      await (Number.isFinite(perSecond) || under.size === 0 ? sleep(TICK_MS) : Promise.race(under));
    }
    await Promise.all(under);
  }

  async verify(): Promise<void> {
    await this.#client.sync(this.#path);
    const { data, stat } = await this.#client.getData(this.#path);
    const number = numberIn(data);
    if (number < this.#number) this.#complain(`holds ${number} after ${this.#number} was acknowledged`);
    // Each write, and nothing else, makes the version one higher.
    if (stat.version < this.acknowledged)
      this.#complain(`was written ${stat.version} times, ${this.acknowledged} acknowledged`);
    if (stat.version > this.acknowledged + this.unknown)
      this.#complain(
        `was written ${stat.version} times, by ${this.acknowledged} acknowledged and ${this.unknown} unknown`,
      );
  }

  async #write(): Promise<void> {
    const number = this.#next++;
    try {
      const { version } = await this.#client.setData(this.#path, String(number).padEnd(BYTES));
      this.acknowledged += 1;
      if (version <= this.#version) this.#complain(`version ${version} after ${this.#version}`);
      this.#version = version;
      this.#number = number;
      const now = performance.now();
      Writer.#longestGap = Math.max(Writer.#longestGap, now - Writer.#lastAcknowledgedAt);
      Writer.#lastAcknowledgedAt = now;
    } catch (error) {
      if (error instanceof OutcomeUnknownError) this.unknown += 1;
      else this.refused += 1;
    }
  }

  async #read(): Promise<void> {
    const least = this.#number;
    try {
      const number = numberIn((await this.#client.getData(this.#path)).data);
      this.reads += 1;
      if (number < least) this.#complain(`read as ${number} after ${least} was acknowledged`);
    } catch {
      // The session was lost; whoever writes counts that.
    }
  }

  #complain(what: string): void {
    this.complaints.push(`${this.#path} ${what}`);
  }
}

function numberIn(data: Uint8Array | null): number {
  return Number(new TextDecoder().decode(data ?? new Uint8Array()));
}
