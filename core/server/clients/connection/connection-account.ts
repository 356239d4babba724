import { Traffic } from '../../metrics/traffic.js';

export interface AccountHost {
  /** What all connections together have received and sent. */
  readonly traffic: Traffic;
  now(): number;
}

/** Keeps count of what one connection receives and sends, and of the last thing that it was told. */
export class ConnectionAccount {
  readonly traffic = new Traffic();
  /** Null before the first; `at` by the clock of the member. */
  lastReply: { op: number; xid: number; zxid: bigint; at: number } | null = null;
  readonly #host: AccountHost;

  constructor(host: AccountHost) {
    this.#host = host;
  }

  received(packets: number): void {
    this.traffic.received += packets;
    this.#host.traffic.received += packets;
  }

  /** A packet that is no reply. */
  sent(): void {
    this.traffic.sent += 1;
    this.#host.traffic.sent += 1;
  }

  /** `op`, `xid` and `zxid` of the reply; `arrivedAt`: when its request did, 0 for one that is answered at once. */
  replied(op: number, xid: number, zxid: bigint, arrivedAt: number, bytes: number): void {
    const at = this.#host.now();
    const latencyMs = arrivedAt === 0 ? 0 : at - arrivedAt;
    const last = (this.lastReply ??= { op, xid, zxid, at });
    last.op = op;
    last.xid = xid;
    last.zxid = zxid;
    last.at = at;
    this.traffic.replied(latencyMs, bytes);
    this.#host.traffic.replied(latencyMs, bytes);
  }
}
