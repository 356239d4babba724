import { decodeTxn, type StateMachine } from '../../data/index.js';
import { ErrorCode, OpCode } from '../../protocol/index.js';
import type { Logger } from '../../runtime/index.js';
import type { Entry } from '../../zab/index.js';
import type { ClientService } from '../clients/client-service.js';
import type { WritePath } from '../pipeline/write-path.js';
import type { DigestExchange } from '../state/digests/digest-exchange.js';
import type { MemberProbe } from '../metrics/member-probe.js';
import type { Snapshotter } from '../state/snapshotter.js';
import type { WatchService } from '../clients/watch-service.js';

export interface CommittedEntriesParts {
  readonly machine: () => StateMachine;
  /** The way on which clients' writes have come; null while none are served. */
  readonly path: () => WritePath | null;
  readonly watches: WatchService;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  /** Compares the state with the other members'; null if there are none. */
  readonly digests: DigestExchange | null;
  readonly logger: Logger;
  readonly probe?: MemberProbe | undefined;
}

/** Applies what is committed: the tree changes, then watches fire, then whoever asked is answered. */
export class CommittedEntries {
  readonly #parts: CommittedEntriesParts;

  constructor(parts: CommittedEntriesParts) {
    this.#parts = parts;
  }

  apply(entries: readonly Entry[]): void {
    const { machine, digests, probe } = this.#parts;
    for (const entry of entries) {
      // The marker of an epoch.
      if (entry.payload.length === 0) machine().advanceTo(entry.zxid);
      else this.#apply(entry);
      digests?.applied(entry.zxid, machine());
      probe?.applied?.(entry, machine());
    }
  }

  #apply(entry: Entry): void {
    const { machine, watches, clients, snapshotter, logger } = this.#parts;
    const path = this.#parts.path();
    const proposal = path?.take(entry.zxid);
    const applied = machine().apply(entry.zxid, proposal?.txn ?? decodeTxn(entry.payload));
    const { txn, error } = applied;
    // A session that could not be created is over as well.
    const isOver =
      txn.op === OpCode.closeSession || (txn.op === OpCode.createSession && error !== ErrorCode.ok);
    path?.applied(entry.zxid, isOver ? txn.sessionId : null);
    watches.fire(entry.zxid, applied.changes);
    clients.applied(applied, proposal);
    snapshotter.count(entry.payload.length);
    for (const breach of applied.breaches) logger.warn('Soft quota exceeded', { ...breach });
  }
}
