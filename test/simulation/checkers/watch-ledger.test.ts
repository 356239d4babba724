import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AddWatchMode,
  ErrorCode,
  OpCode,
  WatchEventType,
  type Request,
  type SetWatches2Request,
} from '../../../core/protocol/index.js';
import { creates, SampleEnsemble } from './sample-ensemble.js';
import { WatchLedger } from './watch-ledger.js';

const NOTHING: SetWatches2Request = {
  relativeZxid: 0n,
  dataWatches: [],
  existWatches: [],
  childWatches: [],
  persistentWatches: [],
  persistentRecursiveWatches: [],
};

/** The watches of one connection to an ensemble that goes on. */
async function scene(): Promise<{
  ledger: WatchLedger;
  watch: (request: Request) => void;
  /** Changes the data of `/a`, creates below it, or deletes that; returns the zxid. */
  set: () => Promise<bigint>;
  create: () => Promise<bigint>;
  remove: () => Promise<bigint>;
  now: () => bigint;
}> {
  const ensemble = await SampleEnsemble.start();
  const ledger = new WatchLedger(ensemble.model);
  let cxid = 10;
  const write = async (request: Parameters<typeof ensemble.write>[0]): Promise<bigint> =>
    (await ensemble.write(request, (cxid += 1))).zxid;
  return {
    ledger,
    watch: (request) => {
      ledger.sent(request);
      ledger.answered(request, ErrorCode.ok, ensemble.ghost.end);
    },
    set: () => write({ op: OpCode.setData, body: { path: '/a', data: null, version: -1 } }),
    create: () => write(creates('/a/x')),
    remove: () => write({ op: OpCode.delete, body: { path: '/a/x', version: -1 } }),
    now: () => ensemble.ghost.end,
  };
}

const dataWatch: Request = { op: OpCode.getData, body: { path: '/a', watch: true } };
const childWatch: Request = { op: OpCode.getChildren, body: { path: '/a', watch: true } };
const persistent: Request = { op: OpCode.addWatch, body: { path: '/a', mode: AddWatchMode.persistent } };
const recursive: Request = {
  op: OpCode.addWatch,
  body: { path: '/a', mode: AddWatchMode.persistentRecursive },
};
const changed = { type: WatchEventType.dataChanged, path: '/a' };
const childrenChanged = { type: WatchEventType.childrenChanged, path: '/a' };

test('a watch tells once, before anything tells of the change', async () => {
  const { ledger, watch, set, now } = await scene();
  watch(dataWatch);
  const zxid = await set();
  ledger.notified(changed, zxid);
  ledger.reached(now(), true);
  assert.is(ledger.size, 0);
  assert.throws(() => ledger.notified(changed, zxid), /which no watch waits for/);
});

test('a change that is told of before its event is found', async () => {
  const { ledger, watch, set } = await scene();
  watch(dataWatch);
  const zxid = await set();
  ledger.reached(zxid - 1n, true);
  assert.throws(() => ledger.reached(zxid, true), /but not that \/a was dataChanged/);
});

test('an event that comes out of order is found', async () => {
  const { ledger, watch, set, create } = await scene();
  watch(dataWatch);
  watch(childWatch);
  await set();
  const later = await create();
  assert.throws(() => ledger.notified(childrenChanged, later), /but not that \/a was dataChanged/);
});

test('an event of something that did not happen is found', async () => {
  const { ledger, watch, now } = await scene();
  watch(dataWatch);
  assert.throws(() => ledger.notified(changed, now()), /which no watch waits for/);
});

test('a data watch is not for children, and a child watch not for data', async () => {
  const { ledger, watch, set, create, now } = await scene();
  watch(dataWatch);
  const zxid = await create();
  assert.throws(() => ledger.notified(childrenChanged, zxid), /which no watch waits for/);
  const other = await scene();
  other.watch(childWatch);
  await other.set();
  other.ledger.reached(other.now(), true);
  await set();
  assert.throws(() => ledger.reached(now(), true), /data watch at \/a/);
});

test('a persistent watch tells every change, in order', async () => {
  const { ledger, watch, set, create, now } = await scene();
  watch(persistent);
  const [first, second, third] = [await set(), await create(), await set()];
  ledger.notified(changed, first);
  ledger.notified(childrenChanged, second);
  assert.throws(() => ledger.reached(now(), true), /persistent watch/);
  ledger.notified(changed, third);
  ledger.reached(now(), true);
  assert.is(ledger.size, 1);
});

test('a recursive watch tells of what is below, and not of lists of children', async () => {
  const { ledger, watch, create, remove, now } = await scene();
  watch(recursive);
  const [first, second] = [await create(), await remove()];
  assert.throws(() => ledger.notified(childrenChanged, first), /no watch|but not that/);
  ledger.notified({ type: WatchEventType.created, path: '/a/x' }, first);
  ledger.notified({ type: WatchEventType.deleted, path: '/a/x' }, second);
  ledger.reached(now(), true);
});

test('a watch that was taken back tells nothing', async () => {
  const { ledger, watch, set } = await scene();
  watch(dataWatch);
  watch({ op: OpCode.removeWatches, body: { path: '/a', type: 2 } });
  const zxid = await set();
  ledger.reached(zxid, true);
  assert.throws(() => ledger.notified(changed, zxid), /no watch/);
});

test('a watch that is taken up again in the way of older servers tells first of what was missed too', async () => {
  const { ledger, set, now } = await scene();
  const { persistentWatches: _, persistentRecursiveWatches: __, ...nothing } = NOTHING;
  const body = { ...nothing, relativeZxid: now(), dataWatches: ['/a'] };
  await set();
  const request: Request = { op: OpCode.setWatches, body };
  ledger.sent(request);
  ledger.notifiedOfMissed(changed, now());
  ledger.answered(request, ErrorCode.ok, now());
  assert.is(ledger.size, 0);
});

test('a watch that is taken up again tells first of what was missed', async () => {
  const { ledger, set, now } = await scene();
  const relativeZxid = now();
  await set();
  const request: Request = {
    op: OpCode.setWatches2,
    body: { ...NOTHING, relativeZxid, dataWatches: ['/a'] },
  };
  ledger.sent(request);
  ledger.notifiedOfMissed(changed, relativeZxid);
  ledger.answered(request, ErrorCode.ok, now());
  assert.is(ledger.size, 0);
});

test('a watch that is taken up again without telling of what was missed is found', async () => {
  const { ledger, set, now } = await scene();
  const relativeZxid = now();
  await set();
  const request: Request = {
    op: OpCode.setWatches2,
    body: { ...NOTHING, relativeZxid, dataWatches: ['/a'] },
  };
  ledger.sent(request);
  assert.throws(() => ledger.answered(request, ErrorCode.ok, now()), /without telling of what changed/);
});

test('of two watches that are taken up again at a znode that has gone, each tells of it', async () => {
  const { ledger, now, remove, create } = await scene();
  await create();
  const relativeZxid = now();
  await remove();
  const request: Request = {
    op: OpCode.setWatches2,
    body: { ...NOTHING, relativeZxid, dataWatches: ['/a/x'], childWatches: ['/a/x'] },
  };
  const deleted = { type: WatchEventType.deleted, path: '/a/x' };
  ledger.sent(request);
  ledger.notifiedOfMissed(deleted, now());
  ledger.notifiedOfMissed(deleted, now());
  assert.throws(() => ledger.notifiedOfMissed(deleted, now()), /which no watch that is taken up waits for/);
  ledger.answered(request, ErrorCode.ok, now());
  assert.is(ledger.size, 0);
});

test('an event of a missed change that did not happen is found', async () => {
  const { ledger, now } = await scene();
  const request: Request = {
    op: OpCode.setWatches2,
    body: { ...NOTHING, relativeZxid: now(), dataWatches: ['/a'] },
  };
  ledger.sent(request);
  ledger.notifiedOfMissed(changed, now());
  assert.throws(() => ledger.answered(request, ErrorCode.ok, now()), /which it was not/);
});

test.run();
