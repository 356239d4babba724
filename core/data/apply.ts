import { ErrorCode, OpCode, type Stat, WatchEventType } from '../protocol/index.js';
import type { Applied } from './applied.js';
import type { Change } from './change.js';
import { present } from './invariant.js';
import type { MachineState } from './machine-state.js';
import type { QuotaBreach } from './quota.js';
import type { CreateOutcome, MultiPart, SetDataOutcome, SingleOutcome, Txn } from './transaction.js';
import type { Znode } from './znode.js';

const NO_CHANGES: readonly Change[] = [];
const NO_BREACHES: readonly QuotaBreach[] = [];

/** Carries out one transaction, completely: `lastZxid` moves only behind its whole effect. */
export function applyTxn(state: MachineState, zxid: bigint, txn: Txn): Applied {
  const { outcome } = txn;
  const error = outcome.type === 'error' ? outcome.error : ErrorCode.ok;
  // The state holds this one already: every transaction up to `lastZxid` took its whole effect.
  if (zxid <= state.lastZxid) return nothing(txn, zxid, error);
  const application = new Application(state, zxid, txn.time);
  let partStats: readonly (Stat | null)[] | null = null;
  switch (outcome.type) {
    case 'createSession':
      state.sessions.add(txn.sessionId, outcome.timeoutMs);
      break;
    case 'closeSession':
      application.closeSession(txn.sessionId, outcome.paths);
      break;
    case 'multi':
      partStats = application.multi(outcome.parts);
      break;
    case 'identify':
      state.identify({ id: outcome.ensembleId, since: zxid });
      break;
    default:
      application.single(outcome);
  }
  state.quotas.settle();
  state.lastZxid = zxid;
  state.lastTime = Math.max(state.lastTime, txn.time);
  const { changes, breaches } = application;
  return {
    txn,
    zxid,
    error,
    changes,
    breaches: breaches.length === 0 ? NO_BREACHES : breaches,
    partStats,
  };
}

function nothing(txn: Txn, zxid: bigint, error: ErrorCode): Applied {
  return { txn, zxid, error, changes: NO_CHANGES, breaches: NO_BREACHES, partStats: null };
}

/** One transaction on its way into the state. */
class Application {
  readonly changes: Change[] = [];
  readonly breaches: QuotaBreach[] = [];
  readonly #state: MachineState;
  readonly #zxid: bigint;
  readonly #time: number;

  constructor(state: MachineState, zxid: bigint, time: number) {
    this.#state = state;
    this.#zxid = zxid;
    this.#time = time;
  }

  single(outcome: SingleOutcome): void {
    switch (outcome.type) {
      case 'create':
        return this.#create(outcome);
      case 'delete':
        return this.#delete(this.#existing(outcome.path));
      case 'setData':
        return this.#setData(outcome);
      case 'setAcl':
        return this.#state.tree.setAcl(this.#existing(outcome.path), outcome.acl, outcome.aversion);
      case 'check':
      case 'error':
    }
  }

  multi(parts: readonly MultiPart[]): (Stat | null)[] {
    const stats: (Stat | null)[] = [];
    for (const { op, outcome } of parts) {
      this.single(outcome);
      stats.push(tellsStat(op, outcome) ? this.#existing(outcome.path).stat() : null);
    }
    return stats;
  }

  /** The ephemerals that the transaction lists, and whatever else the session should still own: nothing of it stays behind. */
  closeSession(sessionId: bigint, paths: readonly string[]): void {
    for (const path of paths) this.#delete(this.#existing(path));
    for (const node of this.#state.tree.ephemeralsOf(sessionId)) this.#delete(node);
    this.#state.sessions.remove(sessionId);
  }

  #create(outcome: CreateOutcome): void {
    const { tree, quotas } = this.#state;
    const node = tree.create(outcome, outcome.parentCreates, this.#zxid, this.#time);
    quotas.created(node, this.breaches);
    this.#note(WatchEventType.created, node);
  }

  #delete(node: Znode): void {
    this.#note(WatchEventType.deleted, node);
    this.#state.quotas.deleting(node);
    this.#state.tree.delete(node, this.#zxid);
  }

  #setData({ path, data, version }: SetDataOutcome): void {
    const node = this.#existing(path);
    const lengthBefore = node.dataLength;
    this.#state.tree.setData(node, data, version, this.#zxid, this.#time);
    this.#state.quotas.dataSet(node, lengthBefore, this.breaches);
    this.#note(WatchEventType.dataChanged, node);
  }

  #note(type: Change['type'], node: Znode): void {
    this.changes.push({ type, path: node.path, acl: node.acl, parentAcl: (node.parent ?? node).acl });
  }

  #existing(path: string): Znode {
    return present(this.#state.tree.find(path), path, 'a transaction on a znode that is not there');
  }
}

function tellsStat(op: OpCode, outcome: SingleOutcome): outcome is CreateOutcome | SetDataOutcome {
  return outcome.type === 'setData' || (outcome.type === 'create' && op !== OpCode.create);
}
