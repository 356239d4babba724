import { ErrorCode, OpCode, WatchEventType } from '../../core/protocol/index.js';
import { hex } from '../simulation/checkers/referee.js';
import type { Contradiction, History } from './history.js';
import { PacketReader, type Packet } from './packets.js';

const LINES_BEFORE = 14;
const LONGEST_LINE = 220;

/** The contradiction, and what its connection saw last before it. */
export function describeContradiction(history: History, { rule, text, at }: Contradiction): string {
  const headline = `${rule}: ${text}`;
  if (at === null) return headline;
  const { connection } = history.traffic[at]!;
  const begin = history.traffic[0]!.at;
  const packets = new PacketReader();
  const lines: string[] = [];
  for (const [index, traffic] of history.traffic.slice(0, at + 1).entries()) {
    if (traffic.connection !== connection) continue;
    for (const packet of packets.read(traffic, index)) lines.push(lineOf(packet, begin));
  }
  return [headline, ...lines.slice(-LINES_BEFORE)].join('\n    ');
}

function lineOf(packet: Packet, begin: number): string {
  const { client, connection, at, type } = packet.traffic;
  const arrow = type === 'sent' ? '>' : '<';
  const line = `${((at - begin) / 1000).toFixed(3)} s ${client}/${connection} ${arrow} ${what(packet)}`;
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

function what(packet: Packet): string {
  switch (packet.type) {
    case 'greeting':
      return `connect to session ${hex(packet.greeting.sessionId)}, has seen ${hex(packet.greeting.lastZxidSeen)}`;
    case 'welcome':
      return `session ${hex(packet.welcome.sessionId)} for ${packet.welcome.timeoutMs} ms`;
    case 'request':
      return `${packet.xid} ${nameOf(OpCode, packet.request.op)} ${show(packet.request.body)}`;
    case 'reply': {
      const { xid, zxid, err } = packet.header;
      const body = packet.reply === null ? '' : ` ${show(packet.reply.body)}`;
      return `${xid} ${hex(zxid)} ${nameOf(ErrorCode, err)}${body}`;
    }
    case 'event':
      return `event ${hex(packet.zxid)} ${nameOf(WatchEventType, packet.event.type)} ${packet.event.path}`;
    case 'pong':
      return `pong ${hex(packet.zxid)}`;
    case 'unasked':
      return `${packet.header.xid} ${hex(packet.header.zxid)}, which nobody asked`;
    case 'closed':
      return `closed with ${packet.code} ${packet.text}`;
    default:
      return packet.type;
  }
}

function show(body: unknown): string {
  return JSON.stringify(body, (key, value: unknown) => {
    if (key === 'acl' || key === 'watch') return undefined;
    if (typeof value === 'bigint') return hex(value);
    if (value instanceof Uint8Array)
      return value.length > 40 ? `${value.length} bytes` : new TextDecoder().decode(value);
    return value;
  });
}

function nameOf(table: Readonly<Record<string, number>>, code: number): string {
  return Object.keys(table).find((name) => table[name] === code) ?? `${code}`;
}
