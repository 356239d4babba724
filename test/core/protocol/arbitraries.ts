import * as fc from 'fast-check';
import {
  type Acl,
  AddWatchMode,
  type ClientOp,
  ErrorCode,
  OpCode,
  type ReplyBodies,
  type RequestBodies,
  type Stat,
  WatcherType,
} from '../../../core/protocol/index.js';

type ByOp<Bodies> = { readonly [Op in ClientOp & keyof Bodies]: fc.Arbitrary<Bodies[Op]> };

/** Like what the decoder returns: objects with the ordinary prototype. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const safeLong = fc.maxSafeInteger();
/** Any text that UTF-8 can carry, long ones included. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 120 }),
  fc.constantFrom('', '/', '\ufeffmark', 'ä'.repeat(40), '/a/b/c'),
);
const texts = fc.array(text, { maxLength: 6 });
const bytes = fc.uint8Array({ maxLength: 64 });
const data = fc.option(bytes);

const acl: fc.Arbitrary<Acl[]> = fc.array(record({ perms: int, id: record({ scheme: text, id: text }) }), {
  maxLength: 4,
});

const stat: fc.Arbitrary<Stat> = record({
  czxid: long,
  mzxid: long,
  ctime: safeLong,
  mtime: safeLong,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: long,
  dataLength: int,
  numChildren: int,
  pzxid: long,
});

const empty = fc.constant({});
const pathOnly = record({ path: text });
const pathVersion = record({ path: text, version: int });
const pathWatch = record({ path: text, watch: fc.boolean() });
const pathStat = record({ path: text, stat });
const dataStat = record({ data, stat });
const statOnly = record({ stat });
const watcher = record({ path: text, type: fc.constantFrom(...Object.values(WatcherType)) });
const children = record({ children: texts });
const setData = record({ path: text, data, version: int });
const create = record({ path: text, data, acl, flags: int, ttlMs: fc.constant(0) });
const createInMulti = record({ path: text, data, acl, flags: int, ttlMs: fc.constant(0) });
const createTtlInMulti = record({ path: text, data, acl, flags: int, ttlMs: safeLong });
const setWatches = { relativeZxid: long, dataWatches: texts, existWatches: texts, childWatches: texts };

function tagged<Op extends number, Body>(op: Op, body: fc.Arbitrary<Body>) {
  return body.map((value) => ({ op, body: value }));
}

const errorResult = record({ error: fc.constantFrom(...Object.values(ErrorCode)) });

function results<R>(...replies: fc.Arbitrary<R>[]) {
  const result = fc.oneof(...replies).map((reply) => ({ reply }));
  return record({ results: fc.array(fc.oneof(result, errorResult), { maxLength: 5 }) });
}

export const requestBodies: ByOp<RequestBodies> = {
  [OpCode.create]: create,
  [OpCode.create2]: create,
  [OpCode.createContainer]: create,
  [OpCode.createTtl]: record({ path: text, data, acl, flags: int, ttlMs: safeLong }),
  [OpCode.delete]: pathVersion,
  [OpCode.exists]: pathWatch,
  [OpCode.getData]: pathWatch,
  [OpCode.setData]: setData,
  [OpCode.getAcl]: pathOnly,
  [OpCode.setAcl]: record({ path: text, acl, version: int }),
  [OpCode.getChildren]: pathWatch,
  [OpCode.getChildren2]: pathWatch,
  [OpCode.getChildrenPage]: record({
    path: text,
    watch: fc.boolean(),
    after: long,
    lastName: text,
    most: int,
  }),
  [OpCode.sync]: pathOnly,
  [OpCode.ping]: empty,
  [OpCode.check]: pathVersion,
  [OpCode.multi]: record({
    ops: fc.array(
      fc.oneof(
        tagged(OpCode.create, createInMulti),
        tagged(OpCode.create2, createInMulti),
        tagged(OpCode.createContainer, createInMulti),
        tagged(OpCode.createTtl, createTtlInMulti),
        tagged(OpCode.delete, pathVersion),
        tagged(OpCode.setData, setData),
        tagged(OpCode.check, pathVersion),
      ),
      { maxLength: 5 },
    ),
  }),
  [OpCode.multiRead]: record({
    ops: fc.array(fc.oneof(tagged(OpCode.getData, pathWatch), tagged(OpCode.getChildren, pathWatch)), {
      maxLength: 5,
    }),
  }),
  [OpCode.reconfig]: record({
    joiningServers: text,
    leavingServers: text,
    newMembers: text,
    curConfigId: long,
  }),
  [OpCode.checkWatches]: watcher,
  [OpCode.removeWatches]: watcher,
  [OpCode.auth]: record({ type: int, scheme: text, auth: fc.option(bytes) }),
  [OpCode.sasl]: record({ token: fc.option(bytes) }),
  [OpCode.setWatches]: record(setWatches),
  [OpCode.setWatches2]: record({
    ...setWatches,
    persistentWatches: texts,
    persistentRecursiveWatches: texts,
  }),
  [OpCode.addWatch]: record({ path: text, mode: fc.constantFrom(...Object.values(AddWatchMode)) }),
  [OpCode.getEphemerals]: record({ prefixPath: text }),
  [OpCode.getAllChildrenNumber]: pathOnly,
  [OpCode.whoAmI]: empty,
  [OpCode.closeSession]: empty,
};

export const replyBodies: ByOp<ReplyBodies> = {
  [OpCode.create]: pathOnly,
  [OpCode.create2]: pathStat,
  [OpCode.createContainer]: pathStat,
  [OpCode.createTtl]: pathStat,
  [OpCode.delete]: empty,
  [OpCode.exists]: statOnly,
  [OpCode.getData]: dataStat,
  [OpCode.setData]: statOnly,
  [OpCode.getAcl]: record({ acl, stat }),
  [OpCode.setAcl]: statOnly,
  [OpCode.getChildren]: children,
  [OpCode.getChildren2]: record({ children: texts, stat }),
  [OpCode.getChildrenPage]: record({ children: texts, stat, last: long, hasMore: fc.boolean() }),
  [OpCode.sync]: pathOnly,
  [OpCode.ping]: empty,
  [OpCode.check]: empty,
  [OpCode.multi]: results<ReplyOfMulti>(
    tagged(OpCode.create, pathOnly),
    tagged(OpCode.create2, pathStat),
    tagged(OpCode.delete, empty),
    tagged(OpCode.check, empty),
    tagged(OpCode.setData, statOnly),
  ),
  [OpCode.multiRead]: results<ReplyOfMulti>(
    tagged(OpCode.getData, dataStat),
    tagged(OpCode.getChildren, children),
  ),
  [OpCode.reconfig]: dataStat,
  [OpCode.checkWatches]: empty,
  [OpCode.removeWatches]: empty,
  [OpCode.auth]: empty,
  [OpCode.sasl]: record({ token: fc.option(bytes) }),
  [OpCode.setWatches]: empty,
  [OpCode.setWatches2]: empty,
  [OpCode.addWatch]: empty,
  [OpCode.getEphemerals]: record({ ephemerals: texts }),
  [OpCode.getAllChildrenNumber]: record({ totalNumber: int }),
  [OpCode.whoAmI]: record({
    clientInfo: fc.array(record({ scheme: text, user: text }), { maxLength: 4 }),
  }),
  [OpCode.closeSession]: empty,
};

type ReplyOfMulti = Exclude<
  ReplyBodies[typeof OpCode.multi]['results'][number],
  { readonly error: ErrorCode }
>['reply'];

export const clientOps = Object.keys(requestBodies).map(Number) as ClientOp[];
export const connectRequests = record({
  protocolVersion: int,
  lastZxidSeen: long,
  timeoutMs: int,
  sessionId: long,
  password: bytes,
  readOnly: fc.option(fc.boolean()),
});
export const connectResponses = record({
  protocolVersion: int,
  timeoutMs: int,
  sessionId: long,
  password: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  readOnly: fc.option(fc.boolean()),
});
/** What members answer to clients that ask for what goes beyond ZooKeeper. */
export const ownConnectResponses = record({
  protocolVersion: int,
  timeoutMs: int,
  sessionId: long,
  password: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  readOnly: fc.boolean(),
  ensembleId: fc.constantFrom(null, '0123456789abcdef0123456789abcdef'),
  features: int,
});
export const replyHeaders = record({
  xid: int,
  zxid: long,
  err: fc.constantFrom(...Object.values(ErrorCode)),
});
