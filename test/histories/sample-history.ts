import {
  encodeTxn,
  RequestPreparer,
  StateMachine,
  type Txn,
  type WriteRequest,
} from '../../core/data/index.js';
import {
  ErrorCode,
  JuteWriter,
  OpCode,
  writeConnectRequest,
  writeConnectResponse,
  writeReply,
  writeRequest,
  writeWatchEvent,
  Xid,
  type Reply,
  type Request,
  type WatchEventType,
} from '../../core/protocol/index.js';
import type { LogEntry } from '../../core/storage/index.js';
import { epochOf, makeZxid } from '../../core/zab/index.js';
import { isWrite } from '../simulation/checkers/request-rules.js';
import type { History, Traffic } from './history.js';
import { ROOT } from './places.js';

const PASSWORD = new Uint8Array(16);
const TIMEOUT_MS = 1000;
const BEGIN = 1_800_000_000_000;

/** What came of a request. */
export interface Outcome {
  readonly zxid: bigint;
  readonly error: ErrorCode;
  readonly reply: Reply | null;
}

/** Writes a history as members without any fault would leave it; a test lets one step go wrong, and looks what is found. */
export class SampleHistory {
  /** Milliseconds since 1970. */
  now = BEGIN;
  readonly traffic: Traffic[] = [];
  readonly exits: string[] = [];
  readonly #machine = new StateMachine();
  readonly #preparer: RequestPreparer;
  readonly #entries: LogEntry[] = [];
  #zxid = makeZxid(1, 0);
  #connections = 0;
  #sessions = 0n;

  constructor({ enforceQuota = true } = {}) {
    this.#preparer = new RequestPreparer(this.#machine, { enforceQuota });
    this.#entries.push({ zxid: this.#zxid, payload: new Uint8Array(0) });
  }

  /** A client with a new session. */
  open(client: string): SampleConnection {
    const sessionId = ++this.#sessions;
    const connection = this.connection(client, sessionId);
    connection.greets(0n);
    this.commit({ op: OpCode.createSession, body: { timeoutMs: TIMEOUT_MS } }, sessionId, 0);
    connection.isWelcomed();
    return connection;
  }

  /** A connection on which nothing was said yet. */
  connection(client: string, sessionId: bigint): SampleConnection {
    return new SampleConnection(this, { client, sessionId, connection: this.#connections++ });
  }

  get end(): bigint {
    return this.#zxid;
  }

  /** Prepares the request, appends it to the logs, and applies it. */
  commit(request: WriteRequest, sessionId: bigint, cxid: number): Outcome {
    const zxid = this.#zxid + 1n;
    const context = { sessionId, cxid, identities: [], wallMs: this.now };
    return this.append(this.#preparer.prepare(request, context, zxid));
  }

  /** The same for a transaction that no preparer would make. */
  append(txn: Txn): Outcome {
    const zxid = ++this.#zxid;
    this.#entries.push({ zxid, payload: encodeTxn(txn) });
    const applied = this.#machine.apply(zxid, txn);
    this.#preparer.applied(zxid);
    return { zxid, error: applied.error, reply: this.#machine.replyTo(applied) };
  }

  /** Puts a transaction into the logs that does not fit what is there. */
  appendUnfit(txn: Txn): void {
    this.#entries.push({ zxid: ++this.#zxid, payload: encodeTxn(txn) });
  }

  read(request: Request, sessionId: bigint): Outcome {
    return { zxid: this.#zxid, ...this.#machine.read(request, { sessionId, identities: [] }) };
  }

  /** As it would have been recorded of three members. */
  history(): History {
    const log = { epochs: [{ epoch: epochOf(this.#zxid), lastZxid: this.#zxid }], entries: this.#entries };
    const final = { zxid: `${this.#zxid}`, digest: `${this.#machine.digest}` };
    const { traffic, exits } = this;
    return {
      traffic,
      exits,
      logs: [1, 2, 3].map((member) => ({ member, ...log })),
      finals: [1, 2, 3].map((member) => ({ member, ...final })),
      root: ROOT,
    };
  }
}

/** Both ends of one connection. */
export class SampleConnection {
  readonly sessionId: bigint;
  readonly #history: SampleHistory;
  readonly #client: string;
  readonly #connection: number;
  #xid: number;

  constructor(
    history: SampleHistory,
    parts: { readonly client: string; readonly sessionId: bigint; readonly connection: number },
  ) {
    this.#history = history;
    this.#client = parts.client;
    this.sessionId = parts.sessionId;
    this.#connection = parts.connection;
    this.#xid = parts.connection * 1_000_000;
  }

  greets(sessionId = this.sessionId, lastZxidSeen = 0n): void {
    this.#note('sent', (writer) =>
      writeConnectRequest(writer, {
        protocolVersion: 0,
        lastZxidSeen,
        timeoutMs: TIMEOUT_MS,
        sessionId,
        password: PASSWORD,
        readOnly: false,
      }),
    );
  }

  isWelcomed(isExpired = false): void {
    this.#note('received', (writer) =>
      writeConnectResponse(writer, {
        protocolVersion: 0,
        timeoutMs: isExpired ? 0 : TIMEOUT_MS,
        sessionId: isExpired ? 0n : this.sessionId,
        password: PASSWORD,
        readOnly: false,
      }),
    );
  }

  /** Returns the number of the request. */
  sends(request: Request): number {
    const xid = ++this.#xid;
    this.#note('sent', (writer) => writeRequest(writer, xid, request.op, request.body));
    return xid;
  }

  isAnswered(xid: number, { zxid, error, reply }: Outcome): void {
    this.#note('received', (writer) => writeReply(writer, { xid, zxid, err: error }, reply));
  }

  isNotified(zxid: bigint, type: WatchEventType, path: string): void {
    this.#note('received', (writer) => writeWatchEvent(writer, zxid, { type, path }));
  }

  /** A ping and its answer. */
  pings(): void {
    this.#note('sent', (writer) => writeRequest(writer, Xid.ping, OpCode.ping, {}));
    this.isAnswered(Xid.ping, { zxid: this.#history.end, error: ErrorCode.ok, reply: null });
  }

  /** From the request to its reply; returns what came of it. */
  asks(request: Request): Outcome {
    const xid = this.sends(request);
    const outcome = this.takesEffect(request, xid);
    this.isAnswered(xid, outcome);
    return outcome;
  }

  takesEffect(request: Request, xid: number): Outcome {
    if (isWrite(request)) return this.#history.commit(request, this.sessionId, xid);
    if (request.op === OpCode.sync)
      return { zxid: this.#history.end, error: ErrorCode.ok, reply: { op: request.op, body: request.body } };
    return this.#history.read(request, this.sessionId);
  }

  #note(type: 'sent' | 'received', write: (writer: JuteWriter) => void): void {
    const writer = new JuteWriter();
    write(writer);
    const [client, connection, at] = [this.#client, this.#connection, this.#history.now];
    this.#history.traffic.push({ connection, client, at, type, bytes: writer.take() });
  }
}
