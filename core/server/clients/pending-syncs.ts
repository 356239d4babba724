import { ErrorCode, OpCode } from '../../protocol/index.js';
import type { ReplySlot } from './connection/reply-slot.js';

/** Syncs whose zxid is known: each is answered once everything is applied here that had been acknowledged to anybody when it was sent. */
export class PendingSyncs {
  #pending: ReplySlot[] = [];

  get length(): number {
    return this.#pending.length;
  }

  /** A quorum has confirmed that `zxid` covers what the sync waits for. */
  confirmed(slot: ReplySlot, zxid: bigint): void {
    slot.zxid = zxid;
    this.#pending.push(slot);
  }

  /** Answers those whose zxid has been applied. */
  applied(lastZxid: bigint): void {
    if (this.#pending.length === 0) return;
    const due = this.#pending.filter(({ zxid }) => zxid <= lastZxid);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter(({ zxid }) => zxid > lastZxid);
    for (const slot of due) {
      const { request, connection } = slot;
      const path = request?.op === OpCode.sync ? request.body.path : '';
      slot.complete(ErrorCode.ok, { op: OpCode.sync, body: { path } }, lastZxid);
      if (connection.state === 'established') connection.completed();
    }
  }

  /** Nobody is served any more. */
  clear(): void {
    this.#pending = [];
  }
}
