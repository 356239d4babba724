import type { Reply, Request } from '../protocol/index.js';
import type { Applied } from './applied.js';
import { applyTxn } from './apply.js';
import type { EnsembleIdentity } from './ensemble-identity.js';
import { MachineState } from './machine-state.js';
import { Recount } from './recount.js';
import { isLongList, type LongRead, openLongRead } from './long-read.js';
import { read, type ReadContext, type ReadResult, type ReadResultToWrite, readToWrite } from './read.js';
import { replyTo } from './reply.js';
import { openSnapshot, type Snapshot } from './snapshot-writer.js';
import type { Txn } from './transaction.js';
import type { WatchedNode } from './watch-table.js';

/**
 * Tree, sessions, quotas and digest of one member: the state that its applied transactions add up to. Data
 * handed in with a transaction is kept as it is where that costs no extra memory: nobody may change those bytes later.
 */
export class StateMachine {
  /** For the other parts of this room; everybody else uses the methods. */
  readonly state: MachineState;

  /** Without a state: the one that every ensemble starts with. */
  constructor(state?: MachineState) {
    this.state = state ?? new MachineState();
    if (state === undefined) this.state.tree.plant();
  }

  /** zxid of the last transaction whose complete effect is in here. */
  get lastZxid(): bigint {
    return this.state.lastZxid;
  }

  /** Time of the newest transaction, in milliseconds since 1970: what the replicas agree on as now. */
  get lastTime(): number {
    return this.state.lastTime;
  }

  /** Rolling digest of znodes, sessions and quotas' statistics, 64 bit unsigned: the same on members with the same state. */
  get digest(): bigint {
    return this.state.digest.value;
  }

  /** Which ensemble this state belongs to; null if its ensemble has no id, or none that this state has seen yet. */
  get identity(): EnsembleIdentity | null {
    return this.state.identity;
  }

  /** Session id → negotiated timeout in milliseconds. */
  get sessions(): ReadonlyMap<bigint, number> {
    return this.state.sessions.all;
  }

  get nodeCount(): number {
    return this.state.tree.size;
  }

  get ephemeralCount(): number {
    return this.state.tree.ephemeralCount;
  }

  /** Paths of the ephemeral znodes of a session. */
  ephemeralsOf(sessionId: bigint): readonly string[] {
    return Array.from(this.state.tree.ephemeralsOf(sessionId), ({ path }) => path);
  }

  /** Bytes of data in all znodes. */
  get dataBytes(): number {
    return this.state.tree.dataBytes;
  }

  /** What all znodes take in memory, about: paths, data, and what each takes besides. */
  get treeBytes(): number {
    return this.state.tree.bytes;
  }

  /**
   * What `/zookeeper/config` shows until a client writes it; null shows the znode as it is. No transaction: it has to be said
   * again of every machine, and touches neither digest nor snapshots.
   */
  publish(configuration: Uint8Array | null): void {
    this.state.configuration.text = configuration;
  }

  /**
   * Applies what was prepared; to be called with increasing zxids. One that is in the state already changes nothing.
   * Throws `InvariantError` on a transaction that does not fit the state, which a prepared one always does.
   */
  apply(zxid: bigint, txn: Txn): Applied {
    return applyTxn(this.state, zxid, txn);
  }

  /** An entry without a transaction passed, as most epoch markers are: nothing changes but `lastZxid`. */
  advanceTo(zxid: bigint): void {
    if (zxid > this.state.lastZxid) this.state.lastZxid = zxid;
  }

  /** The reply to the client that asked for `applied`; to be called before the next apply. Null if error is not ok or the op has none. */
  replyTo(applied: Applied): Reply | null {
    return replyTo(this.state, applied);
  }

  /** exists, getData, getAcl, getChildren, getChildren2, getAllChildrenNumber, getEphemerals, multiRead; anything else is unimplemented. Never throws on any path. See `read` for `maxBytes`. */
  read(request: Request, context: ReadContext, maxBytes = Infinity): ReadResult {
    return read(this.state, request, context, maxBytes);
  }

  /** As `read`, for a reply that is only written: short data in it need no array. */
  readToWrite(request: Request, context: ReadContext, maxBytes: number): ReadResultToWrite {
    return readToWrite(this.state, request, context, maxBytes);
  }

  /** Whether this reads a list of more than `perTurn` names. Never throws on any path. */
  isLongList(request: Request, sessionId: bigint, perTurn: number): boolean {
    return isLongList(this.state, request, sessionId, perTurn);
  }

  /**
   * Begins a read that takes several turns, because of a list of more than `perTurn` names, many operations, or because it is a page; null if
   * `read` answers it. Must be taken to its end, or closed.
   */
  openLongRead(
    request: Request,
    context: ReadContext,
    bounds: { readonly maxBytes: number; readonly perTurn: number },
  ): LongRead | null {
    return openLongRead(this.state, request, context, bounds);
  }

  /** Long reads that are open on a list. */
  get openListCount(): number {
    return this.state.views.listCount;
  }

  /** What `WatchTable.rearm` asks of the tree; to be looked at at once, for it goes on changing. Never throws on any path. */
  watchedNode(path: string): WatchedNode | undefined {
    return this.state.tree.find(path);
  }

  /**
   * Writes the state as it is now, a slice per pull, while transactions go on being applied (copy on write).
   * Any number may be open; what each holds in memory is bounded by what changed since. Close it if it is not drained.
   */
  snapshot(): Snapshot {
    return openSnapshot(this.state);
  }

  /** Computes the digest anew from what is in memory, in slices; close it if it is not taken to its end. */
  recount(): Recount {
    return new Recount(this.state);
  }
}
