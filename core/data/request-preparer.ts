import { ErrorCode, type Id, OpCode, type Request } from '../protocol/index.js';
import { prepareDelete, prepareSetAcl, prepareSetData } from './prepare/update.js';
import { prepareCreate } from './prepare/create.js';
import { isExpired, prepareDeleteContainer } from './prepare/expiry.js';
import { prepareMulti } from './prepare/multi.js';
import { PendingOverlay } from './prepare/pending-overlay.js';
import { type Preparation, type PrepareRules, refuse } from './prepare/preparation.js';
import { prepareCloseSession, prepareCreateSession } from './prepare/session.js';
import type { StateMachine } from './state-machine.js';
import { isOpCode, type Outcome, type Txn } from './transaction.js';
import type { Znode } from './znode.js';

export interface PrepareContext {
  readonly sessionId: bigint;
  readonly cxid: number;
  readonly identities: readonly Id[];
  /** Wall clock of the leader; the preparer keeps it from running backwards. */
  readonly wallMs: number;
}

/** What a leader can be asked to put into the log: clients' writes, and the members' own. */
export type WriteRequest =
  | Request
  | { readonly op: typeof OpCode.createSession; readonly body: { readonly timeoutMs: number } }
  | { readonly op: typeof OpCode.deleteContainer; readonly body: { readonly path: string } };

const MIB = 1024 * 1024;
const DEFAULT_RULES: PrepareRules = {
  enforceQuota: false,
  protectQuotas: false,
  ttlNodes: true,
  maxDataBytes: MIB,
  maxTxnBytes: 4 * MIB,
  maxTreeBytes: Infinity,
};

/** So many znodes `reapable` looks at before it leaves the rest for the next call. */
const MAX_LOOKED_AT = 10_000;

/**
 * The leader's preparation, against the applied tree and all that is proposed but not applied yet. It begins
 * empty when a leader is established, and is thrown away when it is deposed. What it decides comes true only if
 * every transaction is proposed, in order, under the zxid that it was prepared for.
 */
export class RequestPreparer {
  readonly #machine: StateMachine;
  readonly #overlay: PendingOverlay;
  readonly #rules: PrepareRules;
  #lastTime = 0;
  /** Up to here everything is applied, and what was pending of it is not forgotten yet. 0n: it is. */
  #applied = 0n;
  #reaper: Iterator<Znode>;

  /** `enforceQuota` and `protectQuotas` are off, `ttlNodes` on, and `maxDataBytes` 1 MiB and `maxTxnBytes` 4 MiB, unless said otherwise. */
  constructor(machine: StateMachine, rules: Partial<PrepareRules> = {}) {
    this.#machine = machine;
    this.#rules = { ...DEFAULT_RULES, ...rules };
    this.#overlay = new PendingOverlay(machine.state, this.#rules.enforceQuota, this.#rules.maxTreeBytes);
    this.#reaper = machine.state.tree.expirable();
  }

  /** Znodes, sessions and quotas that something proposed but not applied will change: 0 once everything is applied. */
  get pendingCount(): number {
    this.#forgetApplied();
    return this.#overlay.size;
  }

  /**
   * The transaction for this request if it is proposed as `zxid`; a refused request gives an error transaction.
   * Never throws on any request.
   */
  prepare(request: WriteRequest, context: PrepareContext, zxid: bigint): Txn {
    const sessionId = BigInt.asIntN(64, context.sessionId);
    this.#forgetApplied();
    this.#lastTime = this.#now(context.wallMs);
    this.#overlay.zxid = zxid;
    this.#overlay.time = this.#lastTime;
    const outcome = decide(request, {
      overlay: this.#overlay,
      rules: this.#rules,
      sessionId,
      identities: context.identities,
      room: { bytes: this.#rules.maxTxnBytes },
    });
    this.#overlay.growth.prepared(zxid);
    // What nobody knows has no place in the log; its outcome is a refusal, which has no reply to shape.
    const op = isOpCode(request.op) ? request.op : OpCode.error;
    return { sessionId, cxid: context.cxid, time: this.#lastTime, op, outcome };
  }

  /** Bytes that all znodes may take from now on (`PrepareRules.maxTreeBytes`). */
  limitTree(maxBytes: number): void {
    this.#overlay.growth.limit(maxBytes);
  }

  /** Changes that were refused because the tree would have become too large. */
  get refusedGrowth(): number {
    return this.#overlay.growth.refusals;
  }

  /** To be told after each apply: pending changes up to it are forgotten, all together before the next look at them. */
  applied(zxid: bigint): void {
    this.#applied = zxid;
  }

  /**
   * Paths of containers and TTL nodes that may go now, by the replicated time; at most `limit`. A call looks at a
   * bounded number of znodes and the next goes on behind them, so that no call takes long.
   */
  reapable(wallMs: number, limit: number): readonly string[] {
    const now = this.#now(wallMs);
    this.#forgetApplied();
    const { tree } = this.#machine.state;
    const paths: string[] = [];
    let left = Math.min(tree.expirableCount, MAX_LOOKED_AT);
    for (; left > 0 && paths.length < limit; left--) {
      let step = this.#reaper.next();
      if (step.done === true) {
        this.#reaper = tree.expirable();
        step = this.#reaper.next();
      }
      if (step.done === true) break;
      const { path } = step.value;
      const pending = this.#overlay.find(path);
      if (pending !== null && isExpired(pending, now)) paths.push(path);
    }
    return paths;
  }

  #forgetApplied(): void {
    if (this.#applied === 0n) return;
    this.#overlay.applied(this.#applied);
    this.#applied = 0n;
  }

  /** Never behind an earlier transaction, whichever leader prepared it. */
  #now(wallMs: number): number {
    return Math.max(Math.floor(wallMs), this.#lastTime, this.#machine.lastTime);
  }
}

function decide(request: WriteRequest, preparation: Preparation): Outcome {
  const { op, body } = request;
  switch (op) {
    case OpCode.createSession:
      return prepareCreateSession(preparation, body.timeoutMs);
    case OpCode.closeSession:
      return prepareCloseSession(preparation);
    case OpCode.deleteContainer:
      return prepareDeleteContainer(preparation, body.path);
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return prepareCreate(preparation, op, body);
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setAcl:
    case OpCode.multi:
      if (preparation.overlay.sessions.isOpen(preparation.sessionId)) return change(request, preparation);
      return refuse(ErrorCode.sessionExpired);
    case OpCode.reconfig:
      return refuse(ErrorCode.reconfigDisabled);
    default:
      return refuse(ErrorCode.unimplemented);
  }
}

function change(request: WriteRequest, preparation: Preparation): Outcome {
  const { op, body } = request;
  switch (op) {
    case OpCode.delete:
      return prepareDelete(preparation, body);
    case OpCode.setData:
      return prepareSetData(preparation, body);
    case OpCode.setAcl:
      return prepareSetAcl(preparation, body);
    case OpCode.multi:
      return prepareMulti(preparation, body);
    default:
      return refuse(ErrorCode.unimplemented);
  }
}
