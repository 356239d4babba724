import { isWrite } from '../simulation/checkers/request-rules.js';
import type { History } from './history.js';
import { PacketReader } from './packets.js';
import { mergeLogs } from './sequence.js';

/** How much a history holds. */
export interface Figures {
  readonly operations: number;
  readonly replies: number;
  readonly events: number;
  readonly connections: number;
  readonly sessions: number;
  /** Writes that were sent and not answered. */
  readonly unknown: number;
  readonly transactions: number;
  readonly epochs: number;
}

export function figuresOf(history: History): Figures {
  const packets = new PacketReader();
  const sessions = new Set<bigint>();
  const connections = new Set<number>();
  let [operations, replies, events, unanswered] = [0, 0, 0, 0];
  for (const [index, traffic] of history.traffic.entries()) {
    connections.add(traffic.connection);
    for (const packet of packets.read(traffic, index)) {
      if (packet.type === 'welcome' && packet.sessionId !== 0n) sessions.add(packet.sessionId);
      if (packet.type === 'request') {
        operations += 1;
        if (isWrite(packet.request)) unanswered += 1;
      }
      if (packet.type === 'reply') {
        replies += 1;
        if (isWrite(packet.request)) unanswered -= 1;
      }
      if (packet.type === 'event') events += 1;
    }
  }
  const { list } = mergeLogs(history).sequence;
  return {
    operations,
    replies,
    events,
    connections: connections.size,
    sessions: sessions.size,
    unknown: unanswered,
    transactions: list.filter(({ txn }) => txn !== null).length,
    epochs: list.filter(({ txn }) => txn === null).length,
  };
}
