/** One leader and its own replica, without log or network: prepares, encodes, decodes and applies. */
import {
  type Acl,
  CreateMode,
  type CreateRequest,
  type ErrorCode,
  type Id,
  type MultiRequest,
  OPEN_ACL,
  OpCode,
  type Reply,
  type ReplyBodies,
  type Request,
  type Stat,
} from '../../../core/protocol/index.js';
import {
  type Applied,
  decodeTxn,
  encodeTxn,
  type Outcome,
  type PrepareRules,
  RequestPreparer,
  StateMachine,
  type WriteRequest,
} from '../../../core/data/index.js';

export interface Caller {
  readonly sessionId?: bigint;
  readonly identities?: readonly Id[];
}

/** The session that calls come from unless they say otherwise. */
export const SESSION = 0x100n;
export const OTHER_SESSION = 0x200n;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array | null): string | null =>
  data === null ? null : new TextDecoder().decode(data);

export interface CreateOptions {
  readonly data?: Uint8Array | null;
  readonly acl?: readonly Acl[];
  readonly flags?: number;
  readonly ttlMs?: number;
}

export function createBody(path: string, options: CreateOptions = {}): CreateRequest {
  const { data = null, acl = OPEN_ACL, flags = CreateMode.persistent, ttlMs = 0 } = options;
  return { path, data, acl, flags, ttlMs };
}

export class EnsembleOfOne {
  readonly machine: StateMachine;
  readonly preparer: RequestPreparer;
  wallMs = 1_000;
  zxid: bigint;
  /** Encoded transactions, oldest first. */
  readonly log: { readonly zxid: bigint; readonly payload: Uint8Array }[] = [];
  /** How many of the log are applied. */
  applied = 0;

  /** Without a machine: a new one with two sessions. */
  constructor(rules: Partial<PrepareRules> = {}, machine?: StateMachine) {
    this.machine = machine ?? new StateMachine();
    this.zxid = this.machine.lastZxid;
    this.preparer = new RequestPreparer(this.machine, rules);
    if (machine !== undefined) return;
    this.openSession(SESSION);
    this.openSession(OTHER_SESSION);
  }

  openSession(sessionId: bigint, timeoutMs = 10_000): Applied {
    return this.write({ op: OpCode.createSession, body: { timeoutMs } }, { sessionId });
  }

  closeSession(sessionId: bigint): Applied {
    return this.write({ op: OpCode.closeSession, body: {} }, { sessionId });
  }

  /** Prepares only: what is proposed waits in the log. */
  propose(request: WriteRequest, { sessionId = SESSION, identities = [] }: Caller = {}): void {
    this.zxid++;
    const context = { sessionId, cxid: 7, identities, wallMs: this.wallMs };
    this.log.push({
      zxid: this.zxid,
      payload: encodeTxn(this.preparer.prepare(request, context, this.zxid)),
    });
  }

  /** Applies the oldest proposal that is not applied yet. */
  commit(): Applied {
    const { zxid, payload } = this.log[this.applied++]!;
    const applied = this.machine.apply(zxid, decodeTxn(payload));
    this.preparer.applied(zxid);
    return applied;
  }

  write(request: WriteRequest, caller: Caller = {}): Applied {
    this.propose(request, caller);
    while (this.applied < this.log.length - 1) this.commit();
    return this.commit();
  }

  /** Applies a transaction that nobody prepared. */
  force(outcome: Outcome, sessionId = SESSION): Applied {
    this.zxid++;
    const txn = { sessionId, cxid: 0, time: this.wallMs, op: OpCode.create, outcome };
    return this.machine.apply(this.zxid, txn);
  }

  error(request: WriteRequest, caller: Caller = {}): ErrorCode {
    return this.write(request, caller).error;
  }

  reply(request: WriteRequest, caller: Caller = {}): Reply | null {
    return this.machine.replyTo(this.write(request, caller));
  }

  create(path: string, options: CreateOptions = {}, caller: Caller = {}): string {
    const reply = this.reply({ op: OpCode.create, body: createBody(path, options) }, caller);
    return (reply as { readonly body: ReplyBodies[typeof OpCode.create] }).body.path;
  }

  multi(ops: MultiRequest['ops'], caller: Caller = {}): ReplyBodies[typeof OpCode.multi]['results'] {
    const reply = this.reply({ op: OpCode.multi, body: { ops } }, caller);
    return (reply as { readonly body: ReplyBodies[typeof OpCode.multi] }).body.results;
  }

  read(request: Request, { sessionId = SESSION, identities = [] }: Caller = {}) {
    return this.machine.read(request, { sessionId, identities });
  }

  stat(path: string): Stat {
    const { reply } = this.read({ op: OpCode.exists, body: { path, watch: false } });
    return (reply as { readonly body: { readonly stat: Stat } }).body.stat;
  }

  data(path: string): string | null {
    const { reply } = this.read({ op: OpCode.getData, body: { path, watch: false } });
    return text((reply as { readonly body: { readonly data: Uint8Array | null } }).body.data);
  }

  children(path: string): readonly string[] {
    const { reply } = this.read({ op: OpCode.getChildren, body: { path, watch: false } });
    return (reply as { readonly body: { readonly children: readonly string[] } }).body.children;
  }

  exists(path: string): boolean {
    return this.machine.watchedNode(path) !== undefined;
  }
}
