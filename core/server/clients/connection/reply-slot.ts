import type { ErrorCode, Id, ReplySize, ReplyToWrite, Request } from '../../../protocol/index.js';
import type { ClientConnection } from './client-connection.js';
import type { SlicedRead } from './sliced-read.js';

/**
 * Position of one reply of a connection. Replies leave in the order of the slots, whatever completes first. The pipeline gets the slot
 * as the token of its request.
 */
export class ReplySlot {
  readonly connection: ClientConnection;
  readonly xid: number;
  /** What the reply is made from; null if the outcome alone says it. */
  readonly request: Request | null;
  /** This member evaluates the request itself once every slot before this one has left; else it is completed from elsewhere. */
  readonly isLocal: boolean;
  /** The session and the identities that it had when the request was sent: a later `auth` does not count for this request. */
  readonly sessionId: bigint;
  readonly identities: readonly Id[];
  isDone = false;
  error: ErrorCode = 0;
  reply: ReplyToWrite | null = null;
  /** Set instead of a reply: its packet, but for length and header. */
  packet: Uint8Array | null = null;
  /** Set instead of a reply that would be too large. */
  tooLarge: ReplySize | null = null;
  /** The zxid that the reply reflects; of a sync that waits, the zxid that has to be applied first. */
  zxid = 0n;
  /** The reply reflects no state, so its zxid is 0. */
  hasNoZxid = false;
  /** The request is a write: it takes effect when its transaction is applied. */
  isWrite = false;
  /** What the request counts for among those that a write may have in front of it (`OwedReplies`). */
  cost = 0;
  /** What was asked for may be proposed, or was: without this reply its outcome is unknown. */
  mayTakeEffect = false;
  /** The connection ends once this reply has left. */
  isLast = false;
  /** Operation of the request, and when it arrived. */
  op = 0;
  arrivedAt = 0;
  /** Size of the request without its header. */
  bytes = 0;
  /** How far a request that is answered a part at a time has come. */
  progress = 0;
  /** It may take several turns, because of a long list or because it asks for much. */
  isLong = false;
  /** The read while it is under way. */
  reading: SlicedRead | null = null;
  /**
   * The read that is under way shows the state of its beginning, so events that come after that follow its reply: no client gets an
   * older state behind the event of a change, nor the event of a watch before the answer that sets it.
   */
  holdsEvents = false;
  /** An event was sent during a read that does not hold them: what was read before the change may be older. */
  isOutdated = false;
  restarts = 0;

  constructor(connection: ClientConnection, xid: number, request: Request | null = null, isLocal = false) {
    this.connection = connection;
    this.xid = xid;
    this.request = request;
    this.isLocal = isLocal;
    this.sessionId = connection.session.id;
    this.identities = connection.session.identities;
  }

  /** A part of it is done, and the rest belongs to later turns. */
  get isUnderWay(): boolean {
    return this.reading !== null || this.progress > 0;
  }

  /** Lets go of what was read. */
  beginAnew(): void {
    this.reading?.close();
    this.reading = null;
    this.isOutdated = false;
    this.restarts += 1;
  }

  complete(error: ErrorCode, reply: ReplyToWrite | null, zxid: bigint): void {
    this.isDone = true;
    this.error = error;
    this.reply = reply;
    this.zxid = zxid;
  }
}
