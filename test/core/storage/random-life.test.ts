import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import {
  CorruptionError,
  DiskFullError,
  MemoryDisk,
  StorageError,
  type CrashLoss,
  type FileStorage,
  type LogEntry,
} from '../../../core/storage/index.js';
import { content, entry, start, type Found } from './history.js';

/** Lives that a run of the tests goes through; `QUORATE_SEED` runs one of them only. */
const LIVES = 250;
const ROUNDS = 8;

interface State {
  readonly history: readonly LogEntry[];
  readonly epoch: number;
}

/** What is known to be durable, and what else may be found because it was under way. */
interface Knowledge {
  durable: State;
  /** In order: the state that each call leads to; those before the last crash that were not acknowledged. */
  underWay: Change[];
}

interface Change {
  /** Whether `found` may be what a crash in the midst of this change leaves, given the state before it. */
  explains(found: State, before: State): boolean;
  after(before: State): State;
}

class Life {
  readonly #random: SeededRandom;
  readonly #disk: MemoryDisk;
  readonly #known: Knowledge = { durable: { history: [], epoch: 0 }, underWay: [] };
  /** What the process believes, acknowledged or not. */
  #believed: State = { history: [], epoch: 0 };
  /** What was asked for last has to end before the next. */
  #isAlone = false;
  /** Nothing below may be cut. */
  #snapshotZxid = 0n;
  /** Entries up to here were cut off. */
  #cutUpTo = 0n;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#disk = new MemoryDisk(this.#random);
  }

  async live(): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const options = { snapshotsKept: 1 + this.#below(3), segmentBytes: 4096 * (1 + this.#below(3)) };
      const started = await start(this.#disk, options).catch((error: unknown) => {
        if (error instanceof CorruptionError && this.#mayCutEntriesBeBack) return null;
        throw error;
      });
      if (started === null) return;
      this.#judge(started.found);
      await this.#liveUntilCrash(started.storage);
    }
  }

  /** A file that grows may get the blocks back that it gave up: such a member rejoins, though it has lost nothing. */
  get #mayCutEntriesBeBack(): boolean {
    return this.#cutUpTo > (this.#known.durable.history.at(-1)?.zxid ?? 0n);
  }

  /** The power fails, the process dies, or the disk refuses, which ends in one of the two. */
  async #liveUntilCrash(storage: FileStorage): Promise<void> {
    const losses: readonly CrashLoss[] = ['keep', 'lose', 'random', 'random'];
    const loss = losses[this.#below(4)]!;
    const crashed = this.#disk.crashAfter(1 + this.#below(120), loss);
    if (this.#below(4) === 0) this.#planFault();
    await Promise.race([this.#actUntilFailure(storage), crashed]);
    this.#disk.capacityBytes = Infinity;
    this.#disk.repair();
    this.#disk.crash(loss);
  }

  async #actUntilFailure(storage: FileStorage): Promise<void> {
    const refusals: StorageError[] = [];
    for (let step = 0; step < 60 && refusals.length === 0; step++) {
      const acting = this.#act(storage).catch((error: unknown) => {
        if (!(error instanceof StorageError) || error.code === 'STORAGE_MISUSED') throw error;
        refusals.push(error);
      });
      if (this.#below(3) > 0 || this.#isAlone) await acting;
    }
    await storage.close().catch(() => undefined);
  }

  #planFault(): void {
    const operations = ['write', 'sync', 'rename', 'syncDirectory', 'open', 'truncate', 'remove'] as const;
    const operation = operations[this.#below(operations.length)]!;
    if (this.#below(2) === 0)
      this.#disk.fail({ operation, times: 1 + this.#below(2), after: this.#below(20) });
    else this.#disk.capacityBytes = this.#disk.usedBytes + this.#below(8000);
  }

  #act(storage: FileStorage): Promise<void> {
    const choice = this.#below(20);
    this.#isAlone = choice === 19;
    if (choice < 12) return this.#append(storage);
    if (choice < 14) return this.#promise(storage);
    if (choice < 16) return this.#truncate(storage);
    if (choice < 19) return this.#snapshot(storage);
    return this.#install(storage);
  }

  #append(storage: FileStorage): Promise<void> {
    const { epoch, history } = this.#believed;
    const last = history.at(-1)?.zxid ?? 0n;
    const continues = Number(last >> 32n) === epoch;
    const first = continues ? Number(last & 0xffffffffn) + 1 : 0;
    const list = Array.from({ length: this.#below(12) }, (_, index) =>
      entry(first + index, { epoch, bytes: 20 + this.#below(400) }),
    );
    if (epoch === 0) return Promise.resolve();
    return this.#perform(storage.persist({ entries: list }), {
      explains: (found, before) =>
        isPrefix(found.history, [...before.history, ...list]) &&
        found.history.length >= before.history.length,
      after: (before) => ({ ...before, history: [...before.history, ...list] }),
    });
  }

  #promise(storage: FileStorage): Promise<void> {
    const epoch = this.#believed.epoch + 1;
    return this.#perform(storage.persist({ acceptedEpoch: epoch }), {
      explains: (found, before) => found.epoch === epoch && same(found.history, before.history),
      after: (before) => ({ ...before, epoch }),
    });
  }

  #truncate(storage: FileStorage): Promise<void> {
    const cuttable = this.#believed.history.filter(({ zxid }) => zxid >= this.#snapshotZxid);
    const last = cuttable[this.#below(cuttable.length)]?.zxid;
    if (last === undefined) return Promise.resolve();
    const end = this.#believed.history.at(-1)!.zxid;
    if (end > this.#cutUpTo) this.#cutUpTo = end;
    const cut = (history: readonly LogEntry[]): readonly LogEntry[] =>
      history.filter(({ zxid }) => zxid <= last);
    return this.#perform(storage.persist({ truncateAfter: last }), {
      explains: (found, before) =>
        isPrefix(found.history, before.history) && found.history.length >= cut(before.history).length,
      after: (before) => ({ ...before, history: cut(before.history) }),
    });
  }

  /** Only of what is durable, as only that may have been applied. */
  async #snapshot(storage: FileStorage): Promise<void> {
    const { history } = this.#known.durable;
    if (this.#known.underWay.length > 0 || history.length === 0) return;
    const at = history[history.length - 1 - this.#below(Math.min(5, history.length))]!.zxid;
    if (at < this.#snapshotZxid) return;
    this.#snapshotZxid = at;
    const included = history.filter(({ zxid }) => zxid <= at);
    await storage.writeSnapshot(at, [], content(serialize(included)));
  }

  /** A failed installation leaves the old history in force. */
  async #install(storage: FileStorage): Promise<void> {
    const before = this.#believed;
    const { epoch } = before;
    if (epoch === 0 || this.#known.underWay.length > 0) return;
    const history = Array.from({ length: 1 + this.#below(30) }, (_, index) => entry(index, { epoch }));
    const { zxid } = history.at(-1)!;
    const installing = storage.installSnapshot(zxid, [], content(serialize(history)));
    const change: Change = {
      explains: (found) => same(found.history, history),
      after: (state) => ({ ...state, history }),
    };
    try {
      await this.#perform(installing, change);
      this.#snapshotZxid = zxid;
    } catch (error) {
      this.#believed = before;
      if (error instanceof DiskFullError) this.#known.underWay.pop();
      throw error;
    }
  }

  /** Acknowledgements come in the order of the calls. */
  async #perform(acting: Promise<void>, change: Change): Promise<void> {
    this.#believed = change.after(this.#believed);
    this.#known.underWay.push(change);
    await acting;
    assert.is(this.#known.underWay.shift(), change, 'acknowledged out of turn');
    this.#known.durable = change.after(this.#known.durable);
  }

  /** What is found is what was acknowledged, or what some of the changes under way make of it, in order. */
  #judge(found: Found): void {
    const history = [...deserialize(found.snapshot?.content ?? ''), ...found.entries.map(asEntry)];
    const state: State = { history, epoch: found.acceptedEpoch };
    let before = this.#known.durable;
    let isExplained = equal(state, before);
    for (const change of this.#known.underWay) {
      const after = change.after(before);
      isExplained ||= change.explains(state, before) && [before.epoch, after.epoch].includes(state.epoch);
      isExplained ||= equal(state, after);
      before = after;
    }
    const summary = `${history.length} entries in epoch ${state.epoch} found; ${this.#known.durable.history.length} in ${this.#known.durable.epoch} acknowledged`;
    assert.ok(isExplained, summary);
    this.#known.durable = state;
    this.#known.underWay = [];
    this.#believed = state;
    this.#snapshotZxid = found.snapshot?.zxid ?? 0n;
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }
}

function serialize(history: readonly LogEntry[]): string {
  return history.map(({ zxid, payload }) => `${zxid} ${Buffer.from(payload).toString()}\n`).join('');
}

function deserialize(text: string): LogEntry[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const space = line.indexOf(' ');
    return asEntry({ zxid: BigInt(line.slice(0, space)), payload: line.slice(space + 1) });
  });
}

function asEntry({ zxid, payload }: { zxid: bigint; payload: string }): LogEntry {
  return { zxid, payload: Buffer.from(payload) };
}

function isPrefix(short: readonly LogEntry[], long: readonly LogEntry[]): boolean {
  if (short.length > long.length) return false;
  return short.every(({ zxid, payload }, index) => {
    const other = long[index]!;
    return zxid === other.zxid && Buffer.compare(payload, other.payload) === 0;
  });
}

function same(one: readonly LogEntry[], other: readonly LogEntry[]): boolean {
  return one.length === other.length && isPrefix(one, other);
}

function equal(one: State, other: State): boolean {
  return one.epoch === other.epoch && same(one.history, other.history);
}

test('a life of appends, cuts, snapshots, installations and crashes never loses or invents anything', async () => {
  const only = process.env['QUORATE_SEED'];
  const seeds = only === undefined ? Array.from({ length: LIVES }, (_, seed) => seed) : [Number(only)];
  for (const seed of seeds) {
    await new Life(seed).live().catch((error: unknown) => {
      throw new Error(`seed ${seed} (run again with QUORATE_SEED=${seed}): ${String(error)}`, {
        cause: error,
      });
    });
  }
});

test.run();
