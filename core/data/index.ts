/**
 * The replicated state machine; pure. Prepare turns a conditional request into an unconditional transaction;
 * apply carries it out, with the same result on every member and as often as it is replayed.
 */
import type { ErrorCode, Id, OpCode, Reply, Request } from '../protocol/index.js';
import type { Change } from './change.js';
import type { WatchedNode } from './watch-table.js';

export type { Change } from './change.js';
export { expandAcl, isAllowed, redactAcl } from './acl.js';
export { invalidPathReason, nameOf, parentOf } from './path.js';
export { SessionTracker } from './session-tracker.js';
export { type WatchedNode, type WatchedTree, WatchTable } from './watch-table.js';

/** What a member decided a request does: outcomes only, so that applying needs no check. */
export interface Txn {
  readonly sessionId: bigint;
  readonly cxid: number;
  /** Milliseconds since 1970, chosen by the leader, never behind an earlier transaction's. */
  readonly time: number;
  /** The operation that the client asked for: decides the shape of the reply. */
  readonly op: OpCode;
  // `outcome`, a tagged union, is the room's own.
}

export declare function encodeTxn(txn: Txn): Uint8Array;
/** Throws `MarshallingError` on bytes that are no transaction. */
export declare function decodeTxn(payload: Uint8Array): Txn;

/** What applying a transaction did. */
export interface Applied {
  readonly txn: Txn;
  readonly zxid: bigint;
  readonly error: ErrorCode;
  /** In the order in which watches have to hear of them. */
  readonly changes: readonly Change[];
}

export interface ReadResult {
  readonly error: ErrorCode;
  /** Null when `error` is not ok. */
  readonly reply: Reply | null;
}

/** Tree, sessions, quotas and digest of one member. */
export declare class StateMachine {
  constructor();
  /** zxid of the last transaction whose complete effect is in here. */
  readonly lastZxid: bigint;
  /** Rolling digest of the whole replicated state, 64 bit. */
  readonly digest: bigint;
  /** Session id → negotiated timeout in milliseconds. */
  readonly sessions: ReadonlyMap<bigint, number>;
  /** Counters for metrics and tests. */
  readonly nodeCount: number;
  readonly ephemeralCount: number;
  /** Applies what was prepared; to be called with increasing zxids. Replaying an older one is harmless. */
  apply(zxid: bigint, txn: Txn): Applied;
  /** An epoch marker passed: nothing changes but `lastZxid`. */
  advanceTo(zxid: bigint): void;
  /** The reply to the client that asked for `applied`; to be called before the next apply. Null if error is not ok or the op has none. */
  replyTo(applied: Applied): Reply | null;
  /** exists, getData, getAcl, getChildren, getChildren2, getAllChildrenNumber, getEphemerals, multiRead. Never throws on any path. */
  read(
    request: Request,
    reader: { readonly sessionId: bigint; readonly identities: readonly Id[] },
  ): ReadResult;
  /** What `WatchTable.rearm` asks of the tree. Never throws on any path. */
  watchedNode(path: string): WatchedNode | undefined;
  /** Writes the state as it is now, a slice per pull, while transactions go on being applied (copy on write). Close it if it is not drained. */
  snapshot(): { readonly zxid: bigint; next(maxBytes: number): Uint8Array | null; close(): void };
}
/** Rebuilds a machine from a snapshot's bytes, fed in pieces; `finish` verifies counts and digest. */
export declare class SnapshotReader {
  push(bytes: Uint8Array): void;
  finish(): StateMachine;
}

export interface PrepareContext {
  readonly sessionId: bigint;
  readonly cxid: number;
  readonly identities: readonly Id[];
  /** Wall clock of the leader; the preparer keeps it from running backwards. */
  readonly wallMs: number;
}

/** What a leader can be asked to put into the log: clients' writes, and the members' own. */
export type WriteRequest =
  | Request
  | { readonly op: typeof OpCode.createSession; readonly body: { readonly timeoutMs: number } }
  | { readonly op: typeof OpCode.deleteContainer; readonly body: { readonly path: string } };

/** The leader's preparation, against the applied tree and all that is proposed but not applied yet. */
export declare class RequestPreparer {
  constructor(
    machine: StateMachine,
    options?: {
      readonly enforceQuota?: boolean;
      readonly ttlNodes?: boolean;
      readonly maxDataBytes?: number;
    },
  );
  /** The transaction for this request if it is proposed as `zxid`; a refused request gives an error transaction. Never throws on any request. */
  prepare(request: WriteRequest, context: PrepareContext, zxid: bigint): Txn;
  /** To be told after each apply: pending changes up to it are forgotten. */
  applied(zxid: bigint): void;
  /** Paths of containers and TTL nodes that may go now, by the replicated time; at most `limit`. */
  reapable(wallMs: number, limit: number): readonly string[];
}
