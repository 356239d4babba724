import type { Logger } from '../../runtime/index.js';
import type { Entry } from '../../zab/index.js';
import type { ClientPipeline, ClientService } from '../clients/index.js';
import type { MemberProbe } from '../metrics/index.js';
import type { ReplicatedState, Snapshotter } from '../state/index.js';

export interface CommittedEntriesParts {
  readonly state: ReplicatedState;
  readonly pipeline: ClientPipeline;
  readonly clients: ClientService;
  readonly snapshotter: Snapshotter;
  readonly logger: Logger;
  readonly probe?: MemberProbe | undefined;
}

/** Has the pipeline apply what is committed, one entry after the other, and passes each outcome to the clients before the next. */
export class CommittedEntries {
  readonly #parts: CommittedEntriesParts;

  constructor(parts: CommittedEntriesParts) {
    this.#parts = parts;
  }

  apply(entries: readonly Entry[]): void {
    const { state, pipeline, probe } = this.#parts;
    for (const entry of entries) {
      const outcome = pipeline.apply(entry);
      if (outcome !== null) {
        this.#parts.clients.applied(outcome);
        this.#parts.snapshotter.count(entry.payload.length);
        for (const breach of outcome.applied.breaches)
          this.#parts.logger.warn('Soft quota exceeded', { ...breach });
      }
      probe?.applied?.(entry, state.machine);
    }
  }
}
