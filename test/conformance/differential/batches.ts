import { OpCode, OPEN_ACL, type Request } from '../../../core/protocol/index.js';
import { Choice } from './choice.js';
import { ROOT, type Sent, type Step } from './step.js';

const BATCHES = 12;
const MOST_IN_BATCH = 25;
const PATHS = [ROOT, `${ROOT}/a`, `${ROOT}/b`];

/** Batches of mixed requests, each sent in one piece: what a read shows, and each zxid, depend on its place alone. */
export function batchesOf(seed: number): Step[] {
  const choice = new Choice(seed);
  const batches = Array.from({ length: BATCHES }, () => choice.listOf(MOST_IN_BATCH, () => anySent(choice)));
  return [
    { move: 'open', slot: 0, timeoutMs: 20_000, readOnly: false },
    send([create(ROOT)]),
    send([sync(), get(false), set(ROOT, '1'), get(false), set(ROOT, '2')]),
    send([sync(), get(true), set(ROOT, '3')]),
    ...batches.filter((batch) => batch.length > 0).map(send),
  ];
}

function send(requests: readonly Sent[]): Step {
  return { move: 'send', slot: 0, requests };
}

function anySent(choice: Choice): Sent {
  const path = choice.of(PATHS);
  const watch = choice.chance(0.4);
  switch (
    choice.weighted({
      sync: 3,
      get: 5,
      exists: 2,
      list: 2,
      set: 6,
      create: 3,
      delete: 2,
      several: 2,
      again: 1,
    })
  ) {
    case 'sync':
      return sync();
    case 'get':
      return { op: OpCode.getData, body: { path, watch } };
    case 'exists':
      return { op: OpCode.exists, body: { path, watch } };
    case 'list':
      return { op: OpCode.getChildren2, body: { path, watch } };
    case 'set':
      return set(path, String(choice.below(1_000)));
    case 'create':
      return create(path);
    case 'delete':
      return { op: OpCode.delete, body: { path, version: -1 } };
    case 'several':
      return {
        op: OpCode.multiRead,
        body: { ops: PATHS.map((each) => ({ op: OpCode.getData, body: { path: each, watch: false } })) },
      };
    default:
      return {
        op: 'setWatches2',
        zxidsBehind: 0,
        dataWatches: [],
        existWatches: Array.from({ length: 5 }, (_, index) => `${ROOT}/none-${index}`),
        childWatches: [],
        persistentWatches: [],
        persistentRecursiveWatches: [],
      };
  }
}

function sync(): Request {
  return { op: OpCode.sync, body: { path: '/' } };
}

function get(watch: boolean): Request {
  return { op: OpCode.getData, body: { path: ROOT, watch } };
}

function set(path: string, data: string): Request {
  return { op: OpCode.setData, body: { path, data: Buffer.from(data), version: -1 } };
}

function create(path: string): Request {
  return { op: OpCode.create2, body: { path, data: null, acl: OPEN_ACL, flags: 0, ttlMs: 0 } };
}
