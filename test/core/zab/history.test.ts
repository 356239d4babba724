import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { InvariantViolation, makeZxid, type Entry, type EpochTable } from '../../../core/zab/index.js';
import { lastCommonZxid } from '../../../core/zab/epoch-table.js';
import { History } from '../../../core/zab/history.js';
import { censusOf } from '../census.js';
import { diskWith, EMPTY_DISK, entry, epochOfEntries, tableOf } from './conversation.js';

const WINDOW = { windowEntries: 1000, windowBytes: 1_000_000 };
const ENTRIES = [...epochOfEntries(1, 3), ...epochOfEntries(4, 2), ...epochOfEntries(5, 5)];

function isViolation(error: unknown): boolean {
  return error instanceof InvariantViolation;
}

test('a history takes the successor of its last entry and nothing else', () => {
  const history = new History(diskWith(epochOfEntries(1, 2)), WINDOW);
  for (const wrong of [entry(1, 2), entry(1, 4), entry(1, 0), entry(2, 1)]) {
    assert.throws(() => history.append(wrong), isViolation);
  }
  history.append(entry(1, 3));
  history.append(entry(7, 0));
  assert.is(history.last, makeZxid(7, 0));
  assert.equal(history.epochs, tableOf([entry(1, 3), entry(7, 0)]));
});

test('a cut removes entries and epochs behind it, and only at an entry', () => {
  const history = new History(diskWith(ENTRIES), WINDOW);
  assert.throws(() => history.truncateAfter(makeZxid(3, 0)), isViolation);
  history.truncateAfter(makeZxid(4, 1));
  assert.equal(history.epochs, tableOf(ENTRIES.slice(0, 6)));
  assert.equal(history.read(0n, makeZxid(9, 0), { maxBytes: 1e9 }), ENTRIES.slice(0, 6));
  history.append(entry(4, 2));
});

test('what is applied and beyond the window is forgotten, what is not applied never', () => {
  const history = new History(diskWith(ENTRIES), { ...WINDOW, windowEntries: 4 });
  history.trim(makeZxid(1, 1));
  assert.is(history.base, makeZxid(1, 1));
  assert.is(history.read(makeZxid(1, 0), makeZxid(9, 0), { maxBytes: 1e9 }), null);
  history.trim(history.last);
  assert.equal(history.read(history.base, history.last, { maxBytes: 1e9 }), ENTRIES.slice(-4));
  assert.throws(() => history.truncateAfter(makeZxid(1, 1)), isViolation);
});

test('the window is bounded by bytes too', () => {
  const history = new History(EMPTY_DISK, { windowEntries: 1000, windowBytes: 250 });
  history.append(entry(1, 0));
  for (let counter = 1; counter <= 10; counter++) {
    history.append({ zxid: makeZxid(1, counter), payload: new Uint8Array(100) });
  }
  history.trim(history.last);
  assert.is(history.base, makeZxid(1, 8));
});

test('of large entries that were trimmed nothing stays in memory', () => {
  const history = new History(EMPTY_DISK, { windowEntries: 1000, windowBytes: 250 });
  history.append(entry(1, 0));
  for (let counter = 1; counter <= 500; counter++) {
    history.append({ zxid: makeZxid(1, counter), payload: new Uint8Array(100) });
    history.trim(history.last);
  }
  assert.is(censusOf(history).get('History.#entries[].payload'), 200);
});

test('entries that a cut or a snapshot removed count no longer in the bytes of the window', () => {
  const large = (counter: number): Entry => ({ zxid: makeZxid(1, counter), payload: new Uint8Array(100) });
  const history = new History(EMPTY_DISK, { windowEntries: 1000, windowBytes: 250 });
  history.append(entry(1, 0));
  history.append(large(1));
  for (let round = 0; round < 5; round++) {
    history.append(large(2));
    history.truncateAfter(makeZxid(1, 1));
  }
  history.append(large(2));
  history.trim(history.last);
  assert.is(history.base, 0n);

  history.replaceBySnapshot(makeZxid(1, 5), [{ epoch: 1, lastZxid: makeZxid(1, 5) }]);
  for (const counter of [6, 7]) history.append(large(counter));
  history.trim(history.last);
  assert.is(history.base, makeZxid(1, 5));
});

test('a history knows what follows what, also behind what it has forgotten', () => {
  const history = new History(diskWith(ENTRIES), { ...WINDOW, windowEntries: 1 });
  history.trim(history.last);
  for (let index = 0; index < ENTRIES.length; index++) {
    const previous = ENTRIES[index - 1]?.zxid ?? 0n;
    assert.ok(history.follows(ENTRIES[index]!.zxid, previous));
    if (index > 0) assert.not(history.follows(ENTRIES[index]!.zxid, ENTRIES[index - 2]?.zxid ?? 0n));
  }
  assert.not(history.follows(makeZxid(4, 0), makeZxid(1, 2)));
  assert.not(history.follows(makeZxid(4, 3), makeZxid(4, 2)));
});

test('a long history is read and trimmed as a short one', () => {
  const history = new History(EMPTY_DISK, { windowEntries: 10, windowBytes: 1e9 });
  for (const each of epochOfEntries(1, 5000)) {
    history.append(each);
    history.trim(each.zxid);
  }
  assert.is(history.base, makeZxid(1, 4990));
  assert.equal(
    history.read(makeZxid(1, 4995), makeZxid(1, 4998), { maxBytes: 1e9 })!.map(({ zxid }) => zxid),
    [4996, 4997, 4998].map((counter) => makeZxid(1, counter)),
  );
});

test('reading takes as many entries as fit, and one at least', () => {
  const history = new History(diskWith(ENTRIES), WINDOW);
  assert.is(history.read(0n, history.last, { maxBytes: 3 })!.length, 2);
  assert.is(history.read(makeZxid(1, 0), history.last, { maxBytes: 0 })!.length, 1);
  assert.is(history.read(makeZxid(1, 0), history.last, { maxBytes: 7 })!.length, 2);
  assert.equal(history.read(history.last, history.last, { maxBytes: 100 }), []);
  assert.is(history.read(0n, history.last, { maxBytes: 1e9, maxEntries: 3 })!.length, 3);
});

/** Histories as Zab makes them: they share entries as long as they share epochs, and part at the end of one of them. */
const twoHistories = fc
  .record({
    shared: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }),
    left: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    right: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    cut: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ shared, left, right, cut }) => {
    const common = shared.flatMap((last, index) => epochOfEntries(index * 2 + 1, last));
    const behind = (lasts: readonly number[], first: number): Entry[] =>
      lasts.flatMap((last, index) => epochOfEntries(shared.length * 2 + 2 + index * 2 + first, last));
    const shortened = common.slice(0, Math.max(common.length - cut, 0));
    return { mine: [...shortened, ...behind(left, 0)], theirs: [...common, ...behind(right, 1)] };
  });

test('the last zxid that two histories share is found from their epochs alone', () => {
  fc.assert(
    fc.property(twoHistories, ({ mine, theirs }) => {
      let common = 0n;
      for (let index = 0; index < Math.min(mine.length, theirs.length); index++) {
        if (mine[index]!.zxid !== theirs[index]!.zxid) break;
        common = mine[index]!.zxid;
      }
      const tables: [EpochTable, EpochTable] = [tableOf(mine), tableOf(theirs)];
      assert.is(lastCommonZxid(...tables), common);
      assert.is(lastCommonZxid(tables[1], tables[0]), common);
    }),
    { numRuns: 2000 },
  );
});

test('a snapshot that is reported late does not move back the place up to which nothing is cut', () => {
  const history = new History(diskWith(ENTRIES), { windowEntries: 1000, windowBytes: 1_000_000 });
  history.noteSnapshot(makeZxid(5, 3));
  history.noteSnapshot(makeZxid(4, 1));
  assert.is(history.snapshotZxid, makeZxid(5, 3));
  assert.throws(() => history.truncateAfter(makeZxid(5, 2)), isViolation);
  history.truncateAfter(makeZxid(5, 3));
});

test.run();
