import type { ErrorCode, Reply, Request } from '../protocol/index.js';

/** A reply that a connection is owed. Replies leave in the order of the slots, whatever completes first. */
export class ReplySlot {
  readonly xid: number;
  /** A request to be answered from memory once every slot before this one has left; null if it is completed from elsewhere. */
  readonly request: Request | null;
  isDone = false;
  error: ErrorCode = 0;
  reply: Reply | null = null;
  zxid = 0n;
  /** What was asked for may be proposed, or was: without this reply its outcome is unknown. */
  mayTakeEffect = false;
  /** The connection ends once this reply has left. */
  isLast = false;
  /** Operation of the request, and when it arrived. */
  op = 0;
  arrivedAt = 0;
  /** How far a request that is answered a part at a time has come. */
  progress = 0;

  constructor(xid: number, request: Request | null) {
    this.xid = xid;
    this.request = request;
  }

  complete(error: ErrorCode, reply: Reply | null, zxid: bigint): void {
    this.isDone = true;
    this.error = error;
    this.reply = reply;
    this.zxid = zxid;
  }
}
