import type { History } from './history.js';
import type { Entry } from './peer-config.js';
import type { Inform, Proposal } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import { minZxid } from './zxid.js';

/** What an entry costs beside its payload, in memory and on the wire. */
const ENTRY_OVERHEAD = 64;

/** Entries that go to one or more learners in one message. */
export interface Batch {
  readonly message: Proposal | Inform;
  readonly last: bigint;
  readonly bytes: number;
}

export interface BatchRequest {
  readonly isVoter: boolean;
  readonly after: bigint;
  readonly upTo: bigint;
}

/**
 * The messages made in one turn. Learners that stand at the same place get the very same object, so it is
 * encoded once for all of them.
 */
export class SharedBatches {
  readonly #epoch: number;
  readonly #history: History;
  readonly #commit: bigint;
  readonly #maxBytes: number;
  readonly #made: { request: BatchRequest; batch: Batch }[] = [];

  constructor({ history, commitZxid, config }: PeerState, epoch: number) {
    this.#epoch = epoch;
    this.#history = history;
    this.#commit = commitZxid;
    this.#maxBytes = config.limits.messageBytes;
  }

  /** The next entries for such a learner; null if they are not in memory. */
  next(request: BatchRequest): Batch | null {
    const known = this.#made.find((made) => isSameRequest(made.request, request));
    if (known !== undefined) return known.batch;
    const entries = this.#history.read(request.after, request.upTo, { maxBytes: this.#maxBytes });
    if (entries === null) return null;
    const batch = this.pack(entries, request.isVoter);
    this.#made.push({ request, batch });
    return batch;
  }

  pack(entries: readonly Entry[], isVoter: boolean): Batch {
    const last = entries.at(-1)!.zxid;
    const bytes = entries.reduce((sum, { payload }) => sum + payload.length + ENTRY_OVERHEAD, 0);
    const epoch = this.#epoch;
    const message: Proposal | Inform = isVoter
      ? { type: 'proposal', epoch, entries, commit: minZxid(this.#commit, last) }
      : { type: 'inform', epoch, entries };
    return { message, last, bytes };
  }
}

function isSameRequest(a: BatchRequest, b: BatchRequest): boolean {
  return a.isVoter === b.isVoter && a.after === b.after && a.upTo === b.upTo;
}
