import type { ErrorCode, Id, Reply, Request } from '../../../protocol/index.js';

const NO_IDENTITIES: readonly Id[] = [];

/** Position of one reply of a connection. Replies leave in the order of the slots, whatever completes first. */
export class ReplySlot {
  readonly xid: number;
  /** A request that this member evaluates itself once every slot before this one has left; null if it is completed from elsewhere. */
  readonly request: Request | null;
  /** The session and the identities that it had when the request was sent: a later `auth` does not count for this request. */
  readonly sessionId: bigint;
  readonly identities: readonly Id[];
  isDone = false;
  error: ErrorCode = 0;
  reply: Reply | null = null;
  zxid = 0n;
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
  /** How far a request that is answered a part at a time has come. */
  progress = 0;

  constructor(xid: number, request: Request | null, sessionId = 0n, identities = NO_IDENTITIES) {
    this.xid = xid;
    this.request = request;
    this.sessionId = sessionId;
    this.identities = identities;
  }

  complete(error: ErrorCode, reply: Reply | null, zxid: bigint): void {
    this.isDone = true;
    this.error = error;
    this.reply = reply;
    this.zxid = zxid;
  }
}
