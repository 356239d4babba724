import { decodeTxn } from '../../core/data/index.js';
import type { EpochTable, LogEntry } from '../../core/storage/index.js';
import { epochOf, isEpochMarker, makeZxid } from '../../core/zab/index.js';
import { hex } from '../simulation/checkers/referee.js';
import type { Sequence, Sequenced } from '../simulation/checkers/session-ledger.js';
import { isSameBytes } from '../simulation/checkers/log-chain.js';
import type { Contradiction, History } from './history.js';

/** The history that all members have in the end, from its beginning. */
export class CommittedSequence implements Sequence {
  readonly list: readonly Sequenced[];
  readonly #bySession = new Map<bigint, Sequenced[]>();
  readonly #zxids: ReadonlySet<bigint>;

  constructor(list: readonly Sequenced[]) {
    this.list = list;
    this.#zxids = new Set(list.map(({ zxid }) => zxid));
    for (const entry of list) {
      if (entry.txn === null) continue;
      const own = this.#bySession.get(entry.txn.sessionId);
      if (own === undefined) this.#bySession.set(entry.txn.sessionId, [entry]);
      else own.push(entry);
    }
  }

  get end(): bigint {
    return this.list.at(-1)?.zxid ?? 0n;
  }

  has(zxid: bigint): boolean {
    return this.#zxids.has(zxid);
  }

  ofSession(sessionId: bigint): readonly Sequenced[] {
    return this.#bySession.get(sessionId) ?? [];
  }
}

/**
 * One history out of the logs of all members, and what in them does not agree. It ends with what all members had applied when nothing was
 * written any more: what members that stop propose behind that, some have and some have not.
 */
export function mergeLogs({ logs: recorded, finals }: Pick<History, 'logs' | 'finals'>): {
  readonly sequence: CommittedSequence;
  readonly contradictions: readonly Contradiction[];
} {
  const contradictions: Contradiction[] = [];
  const report = (text: string): void => void contradictions.push({ rule: 'members', text, at: null });
  const end = BigInt(finals[0]?.zxid ?? 0);
  const logs = recorded.map((log) => ({ ...log, epochs: upTo(log.epochs, end) }));
  const [first] = logs;
  for (const log of logs.slice(1)) {
    if (describeEpochs(log.epochs) !== describeEpochs(first!.epochs))
      report(
        `members ${first!.member} and ${log.member} end with other histories: ${describeEpochs(first!.epochs)} and ${describeEpochs(log.epochs)}`,
      );
  }
  const entries = new Map<bigint, { readonly member: number; readonly entry: LogEntry }>();
  for (const { member, entries: own } of logs) {
    for (const entry of own) {
      const other = entries.get(entry.zxid);
      if (other === undefined) entries.set(entry.zxid, { member, entry });
      else if (!isSameBytes(other.entry.payload, entry.payload))
        report(`members ${other.member} and ${member} have different transactions at ${hex(entry.zxid)}`);
    }
  }
  const list: Sequenced[] = [];
  for (const zxid of zxidsOf(first?.epochs ?? [])) {
    const found = entries.get(zxid);
    if (found === undefined) report(`${hex(zxid)} is in the history of every member and in no log`);
    else list.push({ zxid, txn: isEpochMarker(zxid) ? null : decodeTxn(found.entry.payload) });
  }
  return { sequence: new CommittedSequence(list), contradictions };
}

function upTo(epochs: EpochTable, end: bigint): EpochTable {
  return epochs
    .filter(({ epoch }) => makeZxid(epoch, 0) <= end)
    .map(({ epoch, lastZxid }) => ({ epoch, lastZxid: lastZxid < end ? lastZxid : end }));
}

/** All zxids of a history: counters have no gaps. */
function* zxidsOf(epochs: EpochTable): Generator<bigint> {
  for (const { epoch, lastZxid } of epochs) {
    for (let zxid = makeZxid(epoch, 0); zxid <= lastZxid; zxid++) yield zxid;
  }
}

function describeEpochs(epochs: EpochTable): string {
  return epochs.map(({ lastZxid }) => `${epochOf(lastZxid)}:${hex(lastZxid)}`).join(' ');
}
