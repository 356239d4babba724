import {
  AddWatchMode,
  OpCode,
  OPEN_ACL,
  WatcherType,
  type Acl,
  type MultiOp,
  type Request,
} from '../../../core/protocol/index.js';
import { QUOTA } from './random-values.js';
import { ROOT, type Sent, type Step } from './step.js';

const CHILD = `${ROOT}/x`;
const NO_READ: readonly Acl[] = [{ perms: 30, id: { scheme: 'world', id: 'anyone' } }];

function open(slot: number): Step {
  return { move: 'open', slot, timeoutMs: 10_000, readOnly: false };
}

function send(slot: number, ...requests: readonly Sent[]): Step {
  return { move: 'send', slot, requests };
}

function create(path: string, { flags = 0, acl = OPEN_ACL, data = 'x' } = {}): Member {
  return { op: OpCode.create, body: { path, data: Buffer.from(data), acl, flags, ttlMs: 0 } };
}

function setData(path: string, data: string): Member {
  return { op: OpCode.setData, body: { path, data: Buffer.from(data), version: -1 } };
}

function multi(...ops: readonly Member[]): Request {
  return { op: OpCode.multi, body: { ops } };
}

type Member = Extract<Request, { readonly op: MultiOp }>;

const resume: Step = { move: 'resume', slot: 0, password: 'right', isAhead: false };

/** By the heading in DIFFERENCES.md: a sequence that shows the difference. All begin with a session and the root. */
export const KNOWN_STEPS: Readonly<Record<string, readonly Step[]>> = {
  'A request without a path': [
    send(0, { op: OpCode.getChildren, body: { path: '', watch: true } }),
    send(0, { op: OpCode.addWatch, body: { path: '', mode: AddWatchMode.persistent } }),
    send(0, create('')),
  ],
  '`exists` needs READ': [
    send(0, create(CHILD, { acl: NO_READ })),
    send(0, { op: OpCode.exists, body: { path: CHILD, watch: false } }),
  ],
  'One client, several kinds of watches at one path': [
    send(0, { op: OpCode.addWatch, body: { path: ROOT, mode: AddWatchMode.persistent } }),
    send(0, { op: OpCode.getData, body: { path: ROOT, watch: true } }),
    send(0, setData(ROOT, 'once')),
    send(0, setData(ROOT, 'twice')),
    send(0, { op: OpCode.addWatch, body: { path: ROOT, mode: AddWatchMode.persistentRecursive } }),
    send(0, create(CHILD)),
    send(0, { op: OpCode.removeWatches, body: { path: ROOT, type: WatcherType.data } }),
  ],
  "Somebody else's watch": [
    open(1),
    send(1, { op: OpCode.getData, body: { path: ROOT, watch: true } }),
    send(0, { op: OpCode.checkWatches, body: { path: ROOT, type: WatcherType.data } }),
    send(0, { op: OpCode.removeWatches, body: { path: ROOT, type: WatcherType.any } }),
    send(1, setData(ROOT, 'y')),
  ],
  'What was missed of a znode that may not be read': [
    send(0, create(CHILD, { acl: NO_READ })),
    send(0, {
      op: 'setWatches2',
      zxidsBehind: 1,
      dataWatches: [CHILD],
      existWatches: [CHILD],
      childWatches: [CHILD],
      persistentWatches: [],
      persistentRecursiveWatches: [],
    }),
  ],
  'IPv6 addresses in `ip` ACLs': [
    send(0, create(CHILD, { acl: [{ perms: 31, id: { scheme: 'ip', id: '::1' } }] })),
  ],
  'Watch types 4 and 5': [
    send(0, { op: OpCode.checkWatches, body: { path: ROOT, type: WatcherType.persistent } }),
    send(0, { op: OpCode.removeWatches, body: { path: ROOT, type: WatcherType.persistentRecursive } }),
  ],
  'The timeout of a session': [
    { ...resume, timeoutMs: 30_000 },
    { ...resume, timeoutMs: 5_000 },
  ],
  '`create2` inside a multi': [send(0, multi({ ...create(CHILD), op: OpCode.create2 } as Member))],
  'A time to live where there is no place for it': [
    send(0, multi(create(CHILD, { flags: 5 }))),
    send(0, multi({ ...create(CHILD), op: OpCode.createTtl } as Member)),
  ],
  'Usage of a quota': [
    send(0, create(QUOTA)),
    send(0, create(`${QUOTA}/zookeeper_limits`, { data: 'nonsense' })),
    send(0, create(CHILD)),
    send(0, setData(`${QUOTA}/zookeeper_limits`, 'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2')),
    send(0, create(`${CHILD}2`)),
    send(0, create(`${QUOTA}/zookeeper_stats`, { data: 'count=0,bytes=0' })),
    send(0, setData(`${QUOTA}/zookeeper_limits`, 'count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=-1')),
    send(0, setData(ROOT, 'some')),
  ],
};

/** The whole of it. */
export function knownSequence(heading: string): Step[] {
  return [open(0), send(0, create(ROOT, { data: 'some data' })), ...KNOWN_STEPS[heading]!];
}
