import {
  ErrorCode,
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
  type ConnectRequest,
  type ConnectResponse,
  type JuteReader,
  type Reply,
  type Request,
  type WatchEvent,
} from '../../core/protocol/index.js';
import type { Connection } from '../../core/transport/index.js';

const MAX_PACKET_BYTES = 64 * 1024 * 1024;

export interface SpeakerOptions {
  /** Requests are numbered behind this. */
  readonly firstXid: number;
  /** The newest state that the session was told of. */
  readonly lastZxid: bigint;
  readonly answered: (request: Request, error: ErrorCode, reply: Reply | null) => void;
  readonly notified: (event: WatchEvent) => void;
}

/** One connection of a client: sends requests in one piece, hands on what comes back, and checks nothing. */
export class Speaker {
  readonly #connection: Connection;
  readonly #options: SpeakerOptions;
  readonly #awaited = new Map<number, Request>();
  #nextXid: number;
  #lastZxid: bigint;
  #welcome: ((response: ConnectResponse | null) => void) | null = null;
  /** Called when nothing is awaited any more, or the connection has ended. */
  #settled: (() => void)[] = [];
  #isOpen = true;

  constructor(connection: Connection, options: SpeakerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#nextXid = options.firstXid;
    this.#lastZxid = options.lastZxid;
    connection.handle({
      message: (bytes) => {
        for (const packet of splitPackets(bytes, MAX_PACKET_BYTES)) this.#arrived(packet);
      },
      closed: () => this.#ended(),
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  /** Null if the connection ends before the answer. */
  greet(request: Omit<ConnectRequest, 'protocolVersion' | 'readOnly'>): Promise<ConnectResponse | null> {
    const writer = new JuteWriter();
    writeConnectRequest(writer, { protocolVersion: 0, readOnly: false, ...request });
    return new Promise((resolve) => {
      this.#welcome = resolve;
      if (!this.#isOpen) return this.#ended();
      this.#connection.send(writer.take());
    });
  }

  /** Resolves when all are answered, or the connection has ended. */
  send(requests: readonly Request[]): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    const writer = new JuteWriter();
    for (const request of requests) {
      const xid = request.op === OpCode.auth ? Xid.auth : ++this.#nextXid;
      if (request.op !== OpCode.auth) this.#awaited.set(xid, request);
      writeRequest(writer, xid, request.op, request.body);
    }
    this.#connection.send(writer.take());
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#settle();
    });
  }

  ping(): void {
    if (!this.#isOpen) return;
    const writer = new JuteWriter();
    writeRequest(writer, Xid.ping, OpCode.ping, {});
    this.#connection.send(writer.take());
  }

  /** What arrives waits, here and at the member. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  terminate(): void {
    this.#connection.terminate();
    this.#ended();
  }

  #arrived(packet: JuteReader): void {
    if (this.#welcome !== null) {
      const welcome = this.#welcome;
      this.#welcome = null;
      return welcome(readConnectResponse(packet));
    }
    const { xid, zxid, err } = readReplyHeader(packet);
    if (xid === Xid.auth) return;
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (xid === Xid.notification) return this.#options.notified(readWatchEvent(packet));
    const request = this.#awaited.get(xid);
    if (request === undefined) return;
    this.#awaited.delete(xid);
    const hasBody = err === ErrorCode.ok && packet.remaining > 0;
    const reply = hasBody ? ({ op: request.op, body: readReplyBody(request.op, packet) } as Reply) : null;
    this.#options.answered(request, err, reply);
    this.#settle();
  }

  #settle(): void {
    if (this.#isOpen && this.#awaited.size > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #ended(): void {
    this.#isOpen = false;
    this.#welcome?.(null);
    this.#welcome = null;
    this.#settle();
  }
}
