import { decodeTxn, type StateMachine } from '../data/index.js';
import type { Logger } from '../runtime/index.js';
import type { Entry } from '../zab/index.js';
import type { ClientService } from './client-service.js';
import type { EpochHistory } from './epoch-history.js';
import type { Snapshotter } from './snapshotter.js';
import type { WatchService } from './watch-service.js';
import type { WritePipeline } from './write-pipeline.js';

export interface CommittedEntriesParts {
  readonly machine: StateMachine;
  readonly epochs: EpochHistory;
  readonly pipeline: WritePipeline;
  readonly watches: WatchService;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  readonly logger: Logger;
}

/** Applies what is committed: the tree changes, then watches fire, then whoever asked is answered. */
export class CommittedEntries {
  readonly #parts: CommittedEntriesParts;

  constructor(parts: CommittedEntriesParts) {
    this.#parts = parts;
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.payload.length === 0) this.#openEpoch(entry.zxid);
      else this.#apply(entry);
    }
  }

  #openEpoch(zxid: bigint): void {
    const { machine, epochs } = this.#parts;
    epochs.open(zxid, machine.lastZxid);
    machine.advanceTo(zxid);
  }

  #apply(entry: Entry): void {
    const { machine, pipeline, watches, clients, snapshotter, logger } = this.#parts;
    const proposal = pipeline.take(entry.zxid);
    const applied = machine.apply(entry.zxid, proposal?.txn ?? decodeTxn(entry.payload));
    pipeline.applied(entry.zxid);
    watches.fire(entry.zxid, applied.changes);
    clients.applied(applied, proposal);
    snapshotter.count(entry.payload.length);
    for (const breach of applied.breaches) logger.warn('Soft quota exceeded', { ...breach });
  }
}
