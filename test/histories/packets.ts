import {
  ErrorCode,
  readConnectRequest,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  readRequest,
  readRequestHeader,
  readWatchEvent,
  splitPackets,
  Xid,
  type ConnectRequest,
  type ConnectResponse,
  type JuteReader,
  type Reply,
  type ReplyHeader,
  type Request,
  type WatchEvent,
} from '../../core/protocol/index.js';
import type { Traffic } from './history.js';

const MAX_PACKET_BYTES = 64 * 1024 * 1024;

/** A packet of the traffic, decoded. */
export type Packet = {
  /** Index in the traffic. */
  readonly index: number;
  readonly traffic: Traffic;
  /** The session of the connection; 0n as long as it has none. */
  readonly sessionId: bigint;
} & (
  | { readonly type: 'greeting'; readonly greeting: ConnectRequest }
  | { readonly type: 'welcome'; readonly greeting: ConnectRequest; readonly welcome: ConnectResponse }
  | { readonly type: 'request'; readonly xid: number; readonly request: Request }
  | {
      readonly type: 'reply';
      readonly header: ReplyHeader;
      readonly request: Request;
      readonly reply: Reply | null;
    }
  | { readonly type: 'event'; readonly zxid: bigint; readonly event: WatchEvent }
  | { readonly type: 'ping' }
  | { readonly type: 'pong'; readonly zxid: bigint }
  | { readonly type: 'unasked'; readonly header: ReplyHeader }
  | { readonly type: 'closed'; readonly code: number; readonly text: string }
);

/** What is known of a connection up to a packet. */
interface Line {
  greeting: ConnectRequest | null;
  hasWelcome: boolean;
  sessionId: bigint;
  readonly requests: Map<number, Request>;
}

/** Decodes the packets of a history one after the other. Whoever answers what nobody asked is shown too. */
export class PacketReader {
  readonly #lines = new Map<number, Line>();

  *read(traffic: Traffic, index: number): Generator<Packet> {
    const line = this.#lineOf(traffic.connection);
    if (traffic.type === 'closed') {
      const { code, text } = traffic;
      yield { index, traffic, sessionId: line.sessionId, type: 'closed', code, text };
      return;
    }
    const decode = traffic.type === 'sent' ? sent : received;
    for (const packet of splitPackets(traffic.bytes, MAX_PACKET_BYTES)) {
      const decoded = decode(line, packet);
      yield { index, traffic, sessionId: line.sessionId, ...decoded };
    }
  }

  #lineOf(connection: number): Line {
    let line = this.#lines.get(connection);
    if (line === undefined) {
      line = { greeting: null, hasWelcome: false, sessionId: 0n, requests: new Map() };
      this.#lines.set(connection, line);
    }
    return line;
  }
}

type Decoded<P = Packet> = P extends Packet ? Omit<P, 'index' | 'traffic' | 'sessionId'> : never;

function sent(line: Line, packet: JuteReader): Decoded {
  if (line.greeting === null) {
    line.greeting = readConnectRequest(packet);
    return { type: 'greeting', greeting: line.greeting };
  }
  const header = readRequestHeader(packet);
  if (header.xid === Xid.ping) return { type: 'ping' };
  const request = readRequest(packet, header);
  line.requests.set(header.xid, request);
  return { type: 'request', xid: header.xid, request };
}

function received(line: Line, packet: JuteReader): Decoded {
  if (!line.hasWelcome) {
    line.hasWelcome = true;
    const welcome = readConnectResponse(packet);
    line.sessionId = welcome.sessionId;
    return { type: 'welcome', greeting: line.greeting!, welcome };
  }
  const header = readReplyHeader(packet);
  if (header.xid === Xid.notification)
    return { type: 'event', zxid: header.zxid, event: readWatchEvent(packet) };
  if (header.xid === Xid.ping) return { type: 'pong', zxid: header.zxid };
  const request = line.requests.get(header.xid);
  if (request === undefined) return { type: 'unasked', header };
  const hasBody = header.err === ErrorCode.ok && packet.remaining > 0;
  const reply = hasBody ? ({ op: request.op, body: readReplyBody(request.op, packet) } as Reply) : null;
  return { type: 'reply', header, request, reply };
}
