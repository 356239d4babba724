import { ErrorCode, OpCode } from '../../protocol/index.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { ReplySlot } from './connection/reply-slot.js';
import type { WritePath } from '../pipeline/write-path.js';

interface PendingSync {
  readonly connection: ClientConnection;
  readonly slot: ReplySlot;
  readonly path: string;
  /** What has to be applied here first. */
  readonly zxid: bigint;
}

/** Answers syncs: once everything is applied here that had been acknowledged to anybody when they were asked for. */
export class SyncService {
  #pending: PendingSync[] = [];

  get length(): number {
    return this.#pending.length;
  }

  ask(way: WritePath, request: { connection: ClientConnection; slot: ReplySlot; path: string }): void {
    way.readIndex((zxid) => this.#pending.push({ ...request, zxid }));
  }

  /** Answers those whose zxid has been applied. */
  applied(lastZxid: bigint): void {
    if (this.#pending.length === 0) return;
    const due = this.#pending.filter(({ zxid }) => zxid <= lastZxid);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter(({ zxid }) => zxid > lastZxid);
    for (const { connection, slot, path } of due) {
      slot.complete(ErrorCode.ok, { op: OpCode.sync, body: { path } }, lastZxid);
      if (connection.state === 'established') connection.completed();
    }
  }

  /** Nobody is served any more. */
  clear(): void {
    this.#pending = [];
  }
}
