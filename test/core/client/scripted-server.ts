import {
  ErrorCode,
  JuteWriter,
  OpCode,
  WatchEventType,
  readConnectRequest,
  readRequest,
  splitPackets,
  writeConnectResponse,
  writeReply,
  writeWatchEvent,
  type ConnectRequest,
  type Request,
} from '../../../core/protocol/index.js';
import type { Clock } from '../../../core/runtime/index.js';
import {
  CloseCode,
  type Connection,
  type MemoryListener,
  type MemoryNetwork,
} from '../../../core/transport/index.js';
import type { ScriptedWorld, Answer } from './scripted-world.js';

export type Incoming = Request & { readonly xid: number };
export type Greeting = 'grant' | 'expire' | 'silence' | 'close' | 'behind';

const MAX_PACKET_BYTES = 64 * 1024 * 1024;

/**
 * A server for tests that speaks the real protocol over the memory network, with hooks that decide what is answered,
 * and when. Several of them may share one world.
 */
export class ScriptedServer {
  readonly address: string;
  readonly world: ScriptedWorld;
  readonly links: ScriptedLink[] = [];
  /** Decides about a session; the default grants what exists or is asked for anew. */
  greet: (request: ConnectRequest, link: ScriptedLink) => Greeting = () => 'grant';
  /** Answers instead of the world; undefined leaves it to the world. */
  respond: (request: Incoming, link: ScriptedLink) => Answer | undefined = () => undefined;
  readonly #network: MemoryNetwork;
  readonly #clock: Clock;
  #listener: MemoryListener | null = null;

  constructor(network: MemoryNetwork, clock: Clock, address: string, world: ScriptedWorld) {
    this.#network = network;
    this.#clock = clock;
    this.address = address;
    this.world = world;
    this.up();
  }

  /** The youngest connection. */
  get link(): ScriptedLink {
    return this.links.at(-1)!;
  }

  /** Every request of every connection, pings left out. */
  get requests(): Incoming[] {
    return this.links.flatMap(({ requests }) => requests).filter(({ op }) => op !== OpCode.ping);
  }

  up(): void {
    this.#listener ??= this.#network.listen(this.address, (connection) => {
      this.links.push(new ScriptedLink(this, connection, this.#clock));
    });
  }

  /** Refuses new connections and breaks those that exist. */
  down(): void {
    this.#listener?.close();
    this.#listener = null;
    for (const link of this.links) link.cut();
  }
}

/** One client's connection, as the server sees it. */
export class ScriptedLink {
  readonly connection: Connection;
  greeting: ConnectRequest | null = null;
  sessionId = 0n;
  readonly requests: Incoming[] = [];
  /** The requests of each message that arrived. */
  readonly batches: Incoming[][] = [];
  isClosed = false;
  closeCode = 0;
  /** Neither reads nor says anything. */
  isMute = false;
  readonly #server: ScriptedServer;
  readonly #clock: Clock;
  readonly #writer = new JuteWriter();
  #isFlushDue = false;

  constructor(server: ScriptedServer, connection: Connection, clock: Clock) {
    this.#server = server;
    this.connection = connection;
    this.#clock = clock;
    connection.handle({
      message: (bytes) => {
        if (!this.isMute) this.#receive(bytes);
      },
      closed: ({ code }) => {
        this.isClosed = true;
        this.closeCode = code;
      },
    });
  }

  get pings(): number {
    return this.requests.filter(({ op }) => op === OpCode.ping).length;
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.connection.terminate();
  }

  /** Closes in order, behind what was answered in this turn. */
  end(): void {
    this.#flush();
    this.connection.close();
  }

  /** Any bytes at all. */
  sendRaw(bytes: Uint8Array): void {
    this.connection.send(bytes);
  }

  answer(request: Incoming, answer: Answer): void {
    if (answer === null) return;
    const { zxid } = this.#server.world;
    const err = 'err' in answer ? answer.err : ErrorCode.ok;
    writeReply(this.#writer, { xid: request.xid, zxid, err }, 'err' in answer ? null : answer.reply);
    this.#scheduleFlush();
  }

  notify(type: keyof typeof WatchEventType, path: string): void {
    writeWatchEvent(this.#writer, this.#server.world.zxid, { type: WatchEventType[type], path });
    this.#scheduleFlush();
  }

  #receive(bytes: Uint8Array): void {
    const batch: Incoming[] = [];
    for (const packet of splitPackets(bytes, MAX_PACKET_BYTES)) {
      if (this.greeting === null) {
        this.#welcome(readConnectRequest(packet));
        continue;
      }
      const request = readRequest(packet);
      this.requests.push(request);
      batch.push(request);
      this.#serve(request);
    }
    if (batch.length > 0) this.batches.push(batch);
  }

  #serve(request: Incoming): void {
    const scripted = this.#server.respond(request, this);
    const answer = scripted === undefined ? this.#server.world.answer(request, this.sessionId) : scripted;
    this.answer(request, answer);
    if (request.op !== OpCode.closeSession || answer === null) return;
    this.end();
  }

  #welcome(greeting: ConnectRequest): void {
    this.greeting = greeting;
    const { world } = this.#server;
    const verdict = this.#server.greet(greeting, this);
    if (verdict === 'silence') return;
    if (verdict === 'behind')
      return this.connection.close({ code: CloseCode.behind, text: 'this member is behind the client' });
    if (verdict === 'close') {
      this.connection.close();
      return;
    }
    const isKnown = greeting.sessionId === 0n || world.sessions.has(greeting.sessionId);
    const isGranted = verdict === 'grant' && isKnown;
    this.sessionId = greeting.sessionId === 0n ? world.nextSession++ : greeting.sessionId;
    const timeoutMs = world.timeoutMs ?? greeting.timeoutMs;
    if (isGranted) world.sessions.set(this.sessionId, timeoutMs);
    writeConnectResponse(this.#writer, {
      protocolVersion: 0,
      timeoutMs: isGranted ? timeoutMs : 0,
      sessionId: isGranted ? this.sessionId : 0n,
      password: new Uint8Array(16).fill(isGranted ? 7 : 0),
      readOnly: false,
    });
    this.#flush();
    if (!isGranted) this.connection.close();
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#clock.soon(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    if (this.#writer.length > 0 && !this.isMute) this.connection.send(this.#writer.take());
  }
}
