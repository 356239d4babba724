import type { Clock } from '../../../runtime/index.js';
import { Traffic } from '../../metrics/index.js';

export interface AccountParts {
  /** What all connections together have received and sent. */
  readonly traffic: Traffic;
  readonly clock: Clock;
}

/** Keeps count of what one connection receives and sends, and of its last reply. */
export class ConnectionAccount {
  readonly traffic = new Traffic();
  /** Null before the first; `at` by the clock of the member. */
  lastReply: { op: number; xid: number; zxid: bigint; at: number } | null = null;
  readonly #parts: AccountParts;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  received(packets: number): void {
    this.traffic.received += packets;
    this.#parts.traffic.received += packets;
  }

  /** A packet that is no reply. */
  sent(): void {
    this.traffic.sent += 1;
    this.#parts.traffic.sent += 1;
  }

  /** `op`, `xid` and `zxid` of the reply; `arrivedAt`: when its request did, 0 for one that is answered at once. */
  replied(op: number, xid: number, zxid: bigint, arrivedAt: number, bytes: number): void {
    const at = this.#parts.clock.now();
    const latencyMs = arrivedAt === 0 ? 0 : at - arrivedAt;
    const last = (this.lastReply ??= { op, xid, zxid, at });
    last.op = op;
    last.xid = xid;
    last.zxid = zxid;
    last.at = at;
    this.traffic.replied(latencyMs, bytes);
    this.#parts.traffic.replied(latencyMs, bytes);
  }
}
