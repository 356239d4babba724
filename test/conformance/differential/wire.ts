import { connect, type Socket } from 'node:net';
import {
  JuteWriter,
  OpCode,
  PacketSplitter,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  readWatchEvent,
  splitPackets,
  writeConnectRequest,
  writeRequest,
  Xid,
  type ClientOp,
  type ConnectRequest,
  type ConnectResponse,
  type JuteReader,
  type ReplyHeader,
  type RequestBodies,
  type WatchEvent,
} from '../../../core/protocol/index.js';

const MAX_PACKET_BYTES = 0x7fffffff;
/** A server that has not answered by then never will. */
const ANSWER_MS = 10_000;

/** What comes from a server, in the order in which it comes. */
export type Arrival =
  | { readonly type: 'connected'; readonly response: ConnectResponse }
  | {
      readonly type: 'reply';
      readonly header: ReplyHeader;
      readonly op: ClientOp | null;
      readonly body: unknown;
      /** Bytes behind the body. */
      readonly rest: number;
    }
  | { readonly type: 'event'; readonly event: WatchEvent }
  | { readonly type: 'closed' };

/** One TCP connection that speaks ZooKeeper's packets and decides nothing. */
export class Wire {
  readonly #socket: Socket;
  readonly #splitter = new PacketSplitter(MAX_PACKET_BYTES);
  readonly #awaited = new Map<number, ClientOp>();
  #arrivals: Arrival[] = [];
  #isConnected = false;
  #isClosed = false;
  #nextXid = 1;
  #changed: () => void = () => undefined;

  constructor(address: string) {
    const [host, port] = address.split(':');
    this.#socket = connect({ host: host!, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk, (message) => {
        for (const packet of splitPackets(message, MAX_PACKET_BYTES)) this.#arrived(packet);
      });
      this.#changed();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#arrivals.push({ type: 'closed' });
      this.#changed();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  connect(request: ConnectRequest): void {
    const writer = new JuteWriter();
    writeConnectRequest(writer, request);
    this.#socket.write(writer.take());
  }

  /** Adds a request to a segment; returns its xid. */
  add<Op extends ClientOp>(segment: JuteWriter, op: Op, body: RequestBodies[Op]): number {
    const xid = this.#xidOf(op);
    this.#awaited.set(xid, op);
    writeRequest(segment, xid, op, body);
    return xid;
  }

  /** The same for bytes that need not be a request of this operation. */
  addRaw(segment: JuteWriter, op: number, body: Uint8Array): number {
    const xid = this.#nextXid++;
    const packet = segment.startPacket();
    segment.writeInt(xid);
    segment.writeInt(op);
    segment.writeBytes(body);
    segment.endPacket(packet);
    return xid;
  }

  send(segment: JuteWriter): void {
    this.#socket.write(segment.take());
  }

  /** Resolves when the condition holds for what has arrived, or the connection has ended. */
  async until(condition: (arrivals: readonly Arrival[]) => boolean): Promise<void> {
    const deadline = performance.now() + ANSWER_MS;
    while (!this.#isClosed && !condition(this.#arrivals)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no answer within ${ANSWER_MS} ms`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** What has arrived since this was last asked. */
  take(): readonly Arrival[] {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    return arrivals;
  }

  /** What `take` would return. */
  peek(): readonly Arrival[] {
    return this.#arrivals;
  }

  /** Ends the connection; nothing arrives any more. */
  destroy(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #xidOf(op: ClientOp): number {
    if (op === OpCode.ping) return Xid.ping;
    return op === OpCode.auth ? Xid.auth : this.#nextXid++;
  }

  #arrived(packet: JuteReader): void {
    if (!this.#isConnected) {
      this.#isConnected = true;
      this.#arrivals.push({ type: 'connected', response: readConnectResponse(packet) });
      return;
    }
    const header = readReplyHeader(packet);
    if (header.xid === Xid.notification) {
      this.#arrivals.push({ type: 'event', event: readWatchEvent(packet) });
      return;
    }
    const op = this.#awaited.get(header.xid) ?? null;
    const hasBody = op !== null && header.err === 0;
    const body = hasBody ? readReplyBody(op, packet) : null;
    this.#arrivals.push({ type: 'reply', header, op, body, rest: packet.remaining });
  }
}
