import { ErrorCode, OpCode } from '../../core/protocol/index.js';
import { check, hex } from '../simulation/checkers/referee.js';
import type { TreeModel } from '../simulation/checkers/tree-model.js';
import type { Packet } from './packets.js';
import type { CommittedSequence } from './sequence.js';

/**
 * Sessions over several connections: one whose end somebody was told of is never resumed; nobody is told of an end before it was
 * proposed; nothing is answered in a session behind its end; and no reply tells of a state that is not in the history.
 */
export class SessionRule {
  readonly #model: TreeModel;
  readonly #sequence: CommittedSequence;
  /** The newest state that anybody was told of. */
  #told = 0n;
  /** By connection: what had been told when its greeting was sent. */
  readonly #toldAtGreeting = new Map<number, bigint>();

  constructor(model: TreeModel, sequence: CommittedSequence) {
    this.#model = model;
    this.#sequence = sequence;
  }

  /** To be called for each packet, in the order in which they were recorded. */
  saw(packet: Packet): void {
    switch (packet.type) {
      case 'greeting':
        this.#toldAtGreeting.set(packet.traffic.connection, this.#told);
        return;
      case 'welcome':
        return this.#welcomed(packet);
      case 'event':
      case 'pong':
        return this.#saw(packet.zxid);
      case 'reply':
        if (packet.request.op === OpCode.auth) return;
        this.#saw(packet.header.zxid);
        return this.#replied(packet);
      case 'unasked':
        return check(
          false,
          () => `${packet.traffic.client} is answered request ${packet.header.xid}, which it did not send`,
        );
      default:
    }
  }

  #welcomed({ greeting, welcome, traffic }: Extract<Packet, { type: 'welcome' }>): void {
    const { sessionId } = greeting;
    if (sessionId === 0n) return;
    const end = this.#model.sessions.get(sessionId)?.closedAt ?? null;
    if (welcome.timeoutMs > 0) {
      const told = this.#toldAtGreeting.get(traffic.connection) ?? 0n;
      return check(
        end === null || end > told,
        () =>
          `${traffic.client} resumes session ${hex(sessionId)}, which had ended at ${hex(end!)}; ${hex(told)} had been told before`,
      );
    }
    const endedAt = end === null ? null : this.#timeOf(sessionId, end);
    check(
      endedAt !== null && endedAt <= traffic.at,
      () => `${traffic.client} is told that session ${hex(sessionId)} is over, which nobody had ended`,
    );
  }

  #replied({ sessionId, header, request, traffic }: Extract<Packet, { type: 'reply' }>): void {
    if (request.op === OpCode.closeSession || header.err !== ErrorCode.ok) return;
    const end = this.#model.sessions.get(sessionId)?.closedAt ?? null;
    check(
      end === null || header.zxid < end,
      () =>
        `${traffic.client} is answered request ${header.xid} at ${hex(header.zxid)}, behind the end of its session ${hex(sessionId)} at ${hex(end!)}`,
    );
  }

  #saw(zxid: bigint): void {
    if (zxid <= 0n) return;
    check(
      this.#sequence.has(zxid),
      () => `somebody is told of ${hex(zxid)}, which is in no member's history`,
    );
    if (zxid > this.#told) this.#told = zxid;
  }

  #timeOf(sessionId: bigint, zxid: bigint): number {
    return this.#sequence.ofSession(sessionId).find((entry) => entry.zxid === zxid)!.txn!.time;
  }
}
