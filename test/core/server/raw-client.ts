import {
  type JuteReader,
  JuteWriter,
  OpCode,
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
  type ErrorCode,
  type ReplyBodies,
  type RequestBodies,
} from '../../../core/protocol/index.js';
import type { CloseReason, Connection, Dialer } from '../../../core/transport/index.js';

const NOBODY = { protocolVersion: 0, lastZxidSeen: 0n, sessionId: 0n, password: new Uint8Array(16) };

export interface RawReply<Op extends ClientOp> {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: ErrorCode;
  /** Null when there is none. */
  readonly body: ReplyBodies[Op] | null;
}

interface Waiting {
  readonly xid: number;
  readonly op: ClientOp;
  resolve(reply: RawReply<ClientOp>): void;
  reject(error: Error): void;
}

/** Speaks packets, and shows what comes back in the order in which it comes. */
export class RawClient {
  readonly connection: Connection;
  /** What has arrived: `reply <xid>`, `event <type> <path>`, `pong`, `connected`. */
  readonly arrivals: string[] = [];
  /** Called with the zxid in the header of each event. */
  onEvent: (zxid: bigint) => void = () => undefined;
  response: ConnectResponse | null = null;
  end: CloseReason | null = null;
  readonly closed: Promise<CloseReason>;
  #isDeaf = false;
  #nextXid = 1;
  readonly #waiting: Waiting[] = [];
  #onConnected: (response: ConnectResponse) => void = () => undefined;
  #onClosed: (reason: CloseReason) => void = () => undefined;

  constructor(connection: Connection) {
    this.connection = connection;
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
    connection.handle({
      message: (bytes) => this.#arrived(bytes),
      closed: (reason) => {
        this.end = reason;
        for (const waiting of this.#waiting)
          waiting.reject(new Error(`closed: ${reason.code} ${reason.text}`));
        this.#onClosed(reason);
      },
    });
  }

  static async dial(dialer: Dialer, address: string): Promise<RawClient> {
    return new RawClient(await dialer.dial(address, { signal: new AbortController().signal }));
  }

  /** A client with a new session. */
  static async open(dialer: Dialer, address: string, timeoutMs = 10_000): Promise<RawClient> {
    const client = await RawClient.dial(dialer, address);
    await client.connect({ timeoutMs });
    return client;
  }

  connect(request: Partial<ConnectRequest> = {}): Promise<ConnectResponse> {
    const writer = new JuteWriter();
    writeConnectRequest(writer, { ...NOBODY, timeoutMs: 10_000, readOnly: false, ...request });
    this.connection.send(writer.take());
    return new Promise((resolve, reject) => {
      this.#onConnected = resolve;
      void this.closed.then((reason) => reject(new Error(`closed: ${reason.code} ${reason.text}`)));
    });
  }

  /** Takes up the session of another client. */
  resume(other: RawClient, lastZxidSeen = 0n): Promise<ConnectResponse> {
    const { sessionId, password } = other.response!;
    return this.connect({ sessionId, password, lastZxidSeen });
  }

  send<Op extends ClientOp>(op: Op, body: RequestBodies[Op], xid = this.#xidOf(op)): Promise<RawReply<Op>> {
    return this.sendAll([{ op, body, xid }])[0] as Promise<RawReply<Op>>;
  }

  /** Several requests in one message. */
  sendAll(
    requests: readonly { readonly op: ClientOp; readonly body: unknown; readonly xid?: number }[],
  ): Promise<RawReply<ClientOp>>[] {
    const writer = new JuteWriter();
    const replies = requests.map(({ op, body, xid = this.#xidOf(op) }) => {
      writeRequest(writer, xid, op, body as RequestBodies[ClientOp]);
      const reply = new Promise<RawReply<ClientOp>>((resolve, reject) =>
        this.#waiting.push({ xid, op, resolve, reject }),
      );
      // A test that expects the connection to end does not wait for every reply.
      reply.catch(() => undefined);
      return reply;
    });
    this.connection.send(writer.take());
    return replies;
  }

  create(path: string, data: string | null = null, flags = 0): Promise<RawReply<typeof OpCode.create>> {
    const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
    const bytes = data === null ? null : Buffer.from(data);
    return this.send(OpCode.create, { path, data: bytes, acl, flags, ttlMs: 0 });
  }

  setData(path: string, data: string): Promise<RawReply<typeof OpCode.setData>> {
    return this.send(OpCode.setData, { path, data: Buffer.from(data), version: -1 });
  }

  delete(path: string): Promise<RawReply<typeof OpCode.delete>> {
    return this.send(OpCode.delete, { path, version: -1 });
  }

  getData(path: string, watch = false): Promise<RawReply<typeof OpCode.getData>> {
    return this.send(OpCode.getData, { path, watch });
  }

  exists(path: string, watch = false): Promise<RawReply<typeof OpCode.exists>> {
    return this.send(OpCode.exists, { path, watch });
  }

  /** What comes from now on is not read: whoever asks for nonsense is answered in kind, such as by a reply that passes for an event. */
  ignoreAnswers(): void {
    this.#isDeaf = true;
  }

  /** Bytes that are not necessarily a packet. */
  sendBytes(bytes: Uint8Array): void {
    this.connection.send(bytes);
  }

  #xidOf(op: ClientOp): number {
    if (op === OpCode.ping) return Xid.ping;
    return op === OpCode.auth ? Xid.auth : this.#nextXid++;
  }

  #arrived(message: Uint8Array): void {
    if (this.#isDeaf) return;
    for (const packet of splitPackets(message, 0x7fffffff)) {
      if (this.response === null) this.#connected(packet);
      else this.#packet(packet);
    }
  }

  #connected(packet: JuteReader): void {
    this.response = readConnectResponse(packet);
    this.arrivals.push(this.response.timeoutMs > 0 ? 'connected' : 'expired');
    this.#onConnected(this.response);
  }

  #packet(packet: JuteReader): void {
    const { xid, zxid, err } = readReplyHeader(packet);
    if (xid === Xid.notification) {
      const { type, path } = readWatchEvent(packet);
      this.arrivals.push(`event ${type} ${path}`);
      this.onEvent(zxid);
      return;
    }
    this.arrivals.push(xid === Xid.ping ? 'pong' : `reply ${xid}`);
    const index = this.#waiting.findIndex((waiting) => waiting.xid === xid);
    if (index === -1) return;
    if (index !== 0 && xid !== Xid.ping) {
      throw new Error(`reply ${xid} is out of order: ${this.#waiting[0]?.xid} was expected`);
    }
    const [waiting] = this.#waiting.splice(index, 1);
    const hasBody = err === 0 && packet.remaining > 0;
    waiting!.resolve({ xid, zxid, err, body: hasBody ? readReplyBody(waiting!.op, packet) : null });
  }
}
