import {
  AddWatchMode,
  CreateMode,
  JuteWriter,
  OPEN_ACL,
  OpCode,
  WatcherType,
  writeRequest,
  type CreateRequest,
  type MultiOp,
  type MultiReadOp,
  type Request,
} from '../../../core/protocol/index.js';
import type { Choice, Theme } from './choice.js';
import {
  anyAcl,
  anyData,
  anyLimits,
  anyPath,
  anyVersion,
  IDENTITIES,
  ownPath,
  plainPath,
  ownOrSystemPath,
  QUOTA,
} from './random-values.js';
import { ROOT, type RawRequest, type Sent, type WatchesAgain } from './step.js';

/** Longer than any sequence takes: nothing is reaped while it runs. */
const TTL_MS = 100_000_000;

/** How often each kind of request is drawn, whatever the theme. */
const WEIGHTS = {
  create: 200,
  exists: 50,
  delete: 90,
  setData: 80,
  getData: 50,
  getChildren: 30,
  getChildren2: 30,
  getAcl: 25,
  setAcl: 25,
  multi: 70,
  multiRead: 25,
  getEphemerals: 15,
  getAllChildrenNumber: 15,
  whoAmI: 8,
  reconfig: 4,
  raw: 10,
};

type Kind = keyof typeof WEIGHTS | WatchKind;
type WatchKind = 'addWatch' | 'removeWatches' | 'checkWatches' | 'setWatches';
const NO_WATCHES = { addWatch: 0, removeWatches: 0, checkWatches: 0, setWatches: 0 };

const WEIGHTS_OF: Readonly<Record<Theme, Readonly<Record<Kind, number>>>> = {
  permissions: { ...WEIGHTS, ...NO_WATCHES, exists: 0 },
  'one-shot watches': { ...WEIGHTS, addWatch: 0, removeWatches: 30, checkWatches: 15, setWatches: 15 },
  'persistent watches': { ...WEIGHTS, addWatch: 60, removeWatches: 30, checkWatches: 15, setWatches: 15 },
  quotas: { ...WEIGHTS, ...NO_WATCHES, multi: 0 },
};

function weightsFor(choice: Choice, slot: number): Readonly<Record<Kind, number>> {
  const weights = WEIGHTS_OF[choice.theme];
  if (!choice.hasOneWatcher) return { ...weights, removeWatches: 0, checkWatches: 0 };
  return slot === 0 ? weights : { ...weights, ...NO_WATCHES };
}

export function anyRequest(choice: Choice, slot: number): Sent {
  const kind = choice.weighted(weightsFor(choice, slot));
  const mayWatch = choice.theme === 'one-shot watches' && (slot === 0 || !choice.hasOneWatcher);
  const watch = mayWatch && choice.chance(0.4);
  switch (kind) {
    case 'create':
      return anyCreate(choice);
    case 'delete':
      return { op: OpCode.delete, body: { path: ownOrSystemPath(choice), version: anyVersion(choice) } };
    case 'setData':
      return anySetData(choice);
    case 'setAcl':
      return {
        op: OpCode.setAcl,
        body: { path: ownPath(choice), acl: anyAcl(choice), version: anyVersion(choice) },
      };
    case 'exists':
    case 'getData':
    case 'getChildren':
    case 'getChildren2':
      return { op: OpCode[kind], body: { path: anyPath(choice), watch } } as Request;
    case 'getAcl':
    case 'getAllChildrenNumber':
      return { op: OpCode[kind], body: { path: anyPath(choice) } } as Request;
    case 'multi':
      return { op: OpCode.multi, body: { ops: choice.listOf(5, () => anyMember(choice)) } };
    case 'multiRead':
      return { op: OpCode.multiRead, body: { ops: choice.listOf(4, () => anyReadMember(choice)) } };
    case 'addWatch':
      return anyAddWatch(choice);
    case 'removeWatches':
    case 'checkWatches':
      return { op: OpCode[kind], body: { path: anyPath(choice), type: anyWatcherType(choice) } } as Request;
    case 'setWatches':
      return watchesAgain(choice);
    case 'getEphemerals':
      return { op: OpCode.getEphemerals, body: { prefixPath: anyPrefix(choice) } };
    case 'whoAmI':
      return { op: OpCode.whoAmI, body: {} };
    case 'reconfig':
      return { op: OpCode.reconfig, body: { ...NO_RECONFIG, leavingServers: '1' } };
    default:
      return anyRaw(choice, slot);
  }
}

const NO_RECONFIG = { joiningServers: '', leavingServers: '', newMembers: '', curConfigId: -1n };

function anyCreate(choice: Choice): Extract<Request, { readonly body: CreateRequest }> {
  const op = choice.of([
    OpCode.create,
    OpCode.create,
    OpCode.create,
    OpCode.create2,
    OpCode.create2,
    OpCode.createContainer,
    OpCode.createTtl,
  ]);
  const flags = choice.chance(0.95) ? choice.of(FLAGS[op]) : choice.of([0, 1, 2, 3, 4, 5, 6, 7, -1, 100]);
  // ZooKeeper dies of a mode without a time to live if none is given in the place for it.
  const anyTtl = flags >= 5 ? [TTL_MS, TTL_MS, TTL_MS, TTL_MS, 0, -1, 2 ** 40] : [0, TTL_MS];
  const ttlMs = op === OpCode.createTtl ? choice.of(anyTtl) : 0;
  const path = isSequential(flags) ? `${plainPath(choice)}/${choice.of(['s-', 's-', ''])}` : ownPath(choice);
  return { op, body: { path, data: anyData(choice), acl: anyAcl(choice), flags, ttlMs } };
}

const FLAGS = {
  [OpCode.create]: [0, 0, 0, 0, 1, 1, 2, 3],
  [OpCode.create2]: [0, 0, 0, 1, 2, 3],
  [OpCode.createContainer]: [CreateMode.container],
  [OpCode.createTtl]: [CreateMode.persistentWithTtl, CreateMode.persistentSequentialWithTtl],
};

function isSequential(flags: number): boolean {
  return flags === 2 || flags === 3 || flags === 6;
}

function anySetData(choice: Choice): Extract<Request, { readonly op: 5 }> {
  const path = choice.chance(0.05) ? '/zookeeper/config' : ownPath(choice);
  return { op: OpCode.setData, body: { path, data: anyData(choice), version: anyVersion(choice) } };
}

/** A quota comes about by ordinary creates: the path to it, the limits, and the place for what is used. */
export function newQuota(choice: Choice, hardLimits: string): Request[] {
  const create = (path: string, data: Uint8Array | null): Request => {
    return { op: OpCode.create, body: { path, data, acl: OPEN_ACL, flags: 0, ttlMs: 0 } };
  };
  return [
    create(QUOTA, null),
    create(`${QUOTA}/zookeeper_limits`, anyLimits(choice, hardLimits)),
    create(`${QUOTA}/zookeeper_stats`, Buffer.from('count=0,bytes=0')),
  ];
}

export function otherSoftLimits(choice: Choice, hardLimits: string): Request {
  const data = anyLimits(choice, hardLimits);
  return { op: OpCode.setData, body: { path: `${QUOTA}/zookeeper_limits`, data, version: -1 } };
}

function anyMember(choice: Choice): Extract<Request, { readonly op: MultiOp }> {
  const kind = choice.weighted({ create: 5, delete: 2, setData: 2, check: 1 });
  switch (kind) {
    case 'create': {
      const create = anyCreate(choice);
      const isTtlMode = create.body.flags === 5 || create.body.flags === 6;
      // What else one can write here ZooKeeper answers in a way of its own, up to its own end.
      if (create.op === OpCode.createTtl) {
        return isTtlMode ? { ...create, body: { ...create.body, ttlMs: TTL_MS } } : anyMember(choice);
      }
      if (isTtlMode) return anyMember(choice);
      return create.op === OpCode.create2 ? { ...create, op: OpCode.create } : create;
    }
    case 'setData':
      return anySetData(choice);
    default:
      return { op: OpCode[kind], body: { path: ownOrSystemPath(choice), version: anyVersion(choice) } };
  }
}

function anyReadMember(choice: Choice): Extract<Request, { readonly op: MultiReadOp }> {
  const op = choice.of([OpCode.getData, OpCode.getChildren]);
  return { op, body: { path: anyPath(choice), watch: false } };
}

function anyAddWatch(choice: Choice): Request {
  const path = anyPath(choice);
  const { persistent, persistentRecursive } = AddWatchMode;
  const mode = isRecursiveAt(path) ? persistentRecursive : persistent;
  return { op: OpCode.addWatch, body: { path, mode: choice.chance(0.97) ? mode : 7 } };
}

/** Which of the two kinds of persistent watches is used at a path. */
function isRecursiveAt(path: string): boolean {
  return path.length % 4 < 2;
}

function anyWatcherType(choice: Choice): number {
  const { children, data, any } = WatcherType;
  if (choice.theme === 'persistent watches') return any;
  return choice.chance(0.97) ? choice.of([children, data, any, any]) : 9;
}

/** As a client does it after it has come back. */
export function watchesAgain(choice: Choice): WatchesAgain {
  const paths = (): string[] => choice.listOf(3, () => plainPath(choice));
  const oneShot = choice.theme === 'one-shot watches' ? paths : () => [];
  const persistent = choice.theme === 'persistent watches' ? paths : () => [];
  return {
    op: 'setWatches2',
    zxidsBehind: choice.of([0, 0, 1, 3, 10]),
    dataWatches: oneShot(),
    existWatches: oneShot(),
    childWatches: oneShot(),
    persistentWatches: persistent().filter((path) => !isRecursiveAt(path)),
    persistentRecursiveWatches: persistent().filter(isRecursiveAt),
  };
}

export function anyAuth(choice: Choice): Request {
  const [scheme, text] = choice.chance(0.9)
    ? (['digest', choice.of([...IDENTITIES, ...IDENTITIES, 'super:admin'])] as const)
    : choice.of([
        ['nosuch', 'x'],
        ['ip', 'x'],
        ['world', 'anyone'],
        ['auth', ''],
        ['digest', 'nocolon'],
      ] as const);
  return { op: OpCode.auth, body: { type: 0, scheme, auth: Buffer.from(text) } };
}

function anyPrefix(choice: Choice): string {
  return choice.of(['', '/', ROOT, `${ROOT}/a`, `${ROOT}/a/`, '/nothing', 'r']);
}

/** Operations that there are not: the connection ends. */
export function anyUnknown(choice: Choice): RawRequest {
  return { op: choice.of([10, 99, 500, -1]), hex: '' };
}

/** A body that ends too early. */
function anyRaw(choice: Choice, slot: number): RawRequest {
  let sent = anyRequest(choice, slot);
  while ('hex' in sent || sent.op === 'setWatches2') sent = anyRequest(choice, slot);
  const writer = new JuteWriter();
  writeRequest(writer, 1, sent.op, sent.body);
  const body = writer.take().subarray(12);
  return { op: sent.op, hex: Buffer.from(body.subarray(0, choice.below(body.length))).toString('hex') };
}
