import type { SessionTable } from '../session-table.js';
import { PendingLayers, type Pending } from './pending-layers.js';

interface PendingSession extends Pending {
  readonly isOpen: boolean;
}

/**
 * Which sessions are open once everything proposed so far is applied: a session is open from the preparation of its
 * create on, and not any more from that of its close on.
 */
export class PendingSessions {
  readonly #applied: SessionTable;
  readonly #pending = new PendingLayers<bigint, PendingSession>();

  constructor(applied: SessionTable) {
    this.#applied = applied;
  }

  get size(): number {
    return this.#pending.size;
  }

  isOpen(sessionId: bigint): boolean {
    const pending = this.#pending.size === 0 ? undefined : this.#pending.find(sessionId);
    return pending?.isOpen ?? this.#applied.all.has(sessionId);
  }

  open(sessionId: bigint, zxid: bigint): void {
    this.#pending.put(sessionId, { zxid, isOpen: true });
  }

  close(sessionId: bigint, zxid: bigint): void {
    this.#pending.put(sessionId, { zxid, isOpen: false });
  }

  applied(zxid: bigint): void {
    this.#pending.applied(zxid);
  }
}
