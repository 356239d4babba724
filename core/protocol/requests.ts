import type { ErrorCode } from './error-code.js';
import type { OpCode } from './op-code.js';
import type { Acl, ClientInfo, Stat } from './records.js';

/** What a client can ask for, by operation number: the shape of each request. */
export interface RequestBodies {
  [OpCode.create]: CreateRequest;
  [OpCode.create2]: CreateRequest;
  [OpCode.createContainer]: CreateRequest;
  [OpCode.createTtl]: CreateRequest;
  [OpCode.delete]: PathVersion;
  [OpCode.exists]: PathWatch;
  [OpCode.getData]: PathWatch;
  [OpCode.setData]: SetDataRequest;
  [OpCode.getAcl]: PathOnly;
  [OpCode.setAcl]: SetAclRequest;
  [OpCode.getChildren]: PathWatch;
  [OpCode.getChildren2]: PathWatch;
  [OpCode.getChildrenPage]: ChildrenPageRequest;
  [OpCode.sync]: PathOnly;
  [OpCode.ping]: Empty;
  [OpCode.check]: PathVersion;
  [OpCode.multi]: MultiRequest;
  [OpCode.multiRead]: MultiReadRequest;
  [OpCode.reconfig]: ReconfigRequest;
  [OpCode.checkWatches]: WatcherRequest;
  [OpCode.removeWatches]: WatcherRequest;
  [OpCode.auth]: AuthRequest;
  [OpCode.sasl]: SaslToken;
  [OpCode.setWatches]: SetWatchesRequest;
  [OpCode.setWatches2]: SetWatches2Request;
  [OpCode.addWatch]: AddWatchRequest;
  [OpCode.getEphemerals]: GetEphemeralsRequest;
  [OpCode.getAllChildrenNumber]: PathOnly;
  [OpCode.whoAmI]: Empty;
  [OpCode.closeSession]: Empty;
}

/** What a server answers with when the result code is ok, by operation number. */
export interface ReplyBodies {
  [OpCode.create]: { readonly path: string };
  [OpCode.create2]: PathStat;
  [OpCode.createContainer]: PathStat;
  [OpCode.createTtl]: PathStat;
  [OpCode.delete]: Empty;
  [OpCode.exists]: { readonly stat: Stat };
  [OpCode.getData]: DataStat;
  [OpCode.setData]: { readonly stat: Stat };
  [OpCode.getAcl]: { readonly acl: readonly Acl[]; readonly stat: Stat };
  [OpCode.setAcl]: { readonly stat: Stat };
  [OpCode.getChildren]: { readonly children: readonly string[] };
  [OpCode.getChildren2]: { readonly children: readonly string[]; readonly stat: Stat };
  [OpCode.getChildrenPage]: ChildrenPage;
  [OpCode.sync]: { readonly path: string };
  [OpCode.ping]: Empty;
  [OpCode.check]: Empty;
  [OpCode.multi]: MultiReply;
  [OpCode.multiRead]: MultiReply;
  [OpCode.reconfig]: DataStat;
  [OpCode.checkWatches]: Empty;
  [OpCode.removeWatches]: Empty;
  [OpCode.auth]: Empty;
  [OpCode.sasl]: SaslToken;
  [OpCode.setWatches]: Empty;
  [OpCode.setWatches2]: Empty;
  [OpCode.addWatch]: Empty;
  [OpCode.getEphemerals]: { readonly ephemerals: readonly string[] };
  [OpCode.getAllChildrenNumber]: { readonly totalNumber: number };
  [OpCode.whoAmI]: { readonly clientInfo: readonly ClientInfo[] };
  [OpCode.closeSession]: Empty;
}

/** Operations that a client may send. */
export type ClientOp = keyof RequestBodies & keyof ReplyBodies;

/** A decoded request: `{ op, body }`, discriminated by `op`. */
export type Request = { [Op in ClientOp]: { readonly op: Op; readonly body: RequestBodies[Op] } }[ClientOp];

/** A reply's body together with the operation that decides its shape. */
export type Reply = { [Op in ClientOp]: { readonly op: Op; readonly body: ReplyBodies[Op] } }[ClientOp];

/** Bytes as they can be written: an array, or text with one byte per character, which only Node's `Buffer` makes and writes. */
export type BytesToWrite = Uint8Array | string;

/** A reply as `writeReply` takes it. */
export type ReplyToWrite =
  | Reply
  | {
      readonly op: typeof OpCode.getData;
      readonly body: { readonly data: BytesToWrite | null; readonly stat: Stat };
    };
export type ReplyBodyToWrite<Op extends ClientOp> = Extract<ReplyToWrite, { readonly op: Op }>['body'];

export type Empty = Readonly<Record<never, never>>;

export interface PathOnly {
  readonly path: string;
}
export interface PathVersion {
  readonly path: string;
  /** -1 means any. */
  readonly version: number;
}
export interface PathWatch {
  readonly path: string;
  readonly watch: boolean;
}
/** Asks for the next page of a znode's children, in the order in which they were created. */
export interface ChildrenPageRequest {
  readonly path: string;
  readonly watch: boolean;
  /** Children that were created up to this zxid are left out; -1n is none. */
  readonly after: bigint;
  /** Name of the child that came last, from which the server finds the next one faster; `''` is none. */
  readonly lastName: string;
  /** Names wanted at most. The page has more only if the last ones were created by one transaction. */
  readonly most: number;
}
export interface ChildrenPage {
  readonly children: readonly string[];
  readonly stat: Stat;
  /** `after` of the next page. */
  readonly last: bigint;
  readonly hasMore: boolean;
}
export interface PathStat {
  readonly path: string;
  readonly stat: Stat;
}
export interface DataStat {
  /** Null data is distinct from empty data and reads back as null. */
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}
export interface CreateRequest {
  readonly path: string;
  readonly data: Uint8Array | null;
  /** A null list on the wire arrives as an empty one. */
  readonly acl: readonly Acl[];
  /** As received; whether it is a `CreateMode` that the operation allows is checked while preparing. */
  readonly flags: number;
  /** Milliseconds; only createTtl carries it, 0 elsewhere. */
  readonly ttlMs: number;
}
export interface SetDataRequest {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly version: number;
}
export interface SetAclRequest {
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly version: number;
}
export interface ReconfigRequest {
  readonly joiningServers: string;
  readonly leavingServers: string;
  readonly newMembers: string;
  readonly curConfigId: bigint;
}
export interface WatcherRequest {
  readonly path: string;
  readonly type: number;
}
export interface AuthRequest {
  readonly type: number;
  readonly scheme: string;
  /** Null, which proves nothing, is not the same as no bytes. */
  readonly auth: Uint8Array | null;
}
/** What one end of a SASL handshake tells the other; null, which stands in a refusal, is not the same as no bytes. */
export interface SaslToken {
  readonly token: Uint8Array | null;
}
export interface SetWatchesRequest {
  readonly relativeZxid: bigint;
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
}
export interface SetWatches2Request extends SetWatchesRequest {
  readonly persistentWatches: readonly string[];
  readonly persistentRecursiveWatches: readonly string[];
}
export interface AddWatchRequest {
  readonly path: string;
  readonly mode: number;
}
export interface GetEphemeralsRequest {
  readonly prefixPath: string;
}

/** Operations that may stand inside a multi. */
export type MultiOp =
  | typeof OpCode.create
  | typeof OpCode.create2
  | typeof OpCode.createContainer
  | typeof OpCode.createTtl
  | typeof OpCode.delete
  | typeof OpCode.setData
  | typeof OpCode.check;
/** Operations that may stand inside a multiRead. */
export type MultiReadOp = typeof OpCode.getData | typeof OpCode.getChildren;

export interface MultiRequest {
  readonly ops: readonly Extract<Request, { readonly op: MultiOp }>[];
}
export interface MultiReadRequest {
  readonly ops: readonly Extract<Request, { readonly op: MultiReadOp }>[];
}

/**
 * One result per operation. A failed multi has only errors: ok before the failing
 * operation, its code at it, runtimeInconsistency behind it.
 */
export interface MultiReply {
  readonly results: readonly MultiResult[];
}
export type MultiResult =
  | { readonly error: ErrorCode }
  | {
      readonly error?: undefined;
      readonly reply: Extract<Reply, { readonly op: MultiOp | MultiReadOp }>;
    };
