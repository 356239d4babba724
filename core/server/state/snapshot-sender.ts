import type { Snapshot } from '../../data/index.js';
import type { Peer, SnapshotStep } from '../../zab/index.js';
import type { ReplicatedState } from './replicated-state.js';

/** What a learner gets at once: large enough to be quick, small enough that heartbeats and clients do not wait for it. */
const SLICE_BYTES = 256 * 1024;

interface OpenSnapshot {
  readonly snapshot: Snapshot;
  /** Read already, so that the last slice is known to be the last. */
  next: Uint8Array | null;
}

/** Gives learners the state as it was at one moment, a slice whenever they can take one, while transactions go on. */
export class SnapshotSender {
  readonly #peer: Peer;
  readonly #state: ReplicatedState;
  readonly #open = new Map<number, OpenSnapshot>();

  constructor(peer: Peer, state: ReplicatedState) {
    this.#peer = peer;
    this.#state = state;
  }

  carryOut({ type, request }: SnapshotStep): void {
    if (type === 'open') this.#begin(request);
    else if (type === 'next') this.#next(request);
    else this.#close(request);
  }

  /** Lets go of everything. */
  close(): void {
    for (const request of this.#open.keys()) this.#close(request);
  }

  #begin(request: number): void {
    const snapshot = this.#state.machine.snapshot();
    this.#open.set(request, { snapshot, next: snapshot.next(SLICE_BYTES) });
    this.#peer.snapshotOpened(request, snapshot.zxid);
  }

  #next(request: number): void {
    const open = this.#open.get(request);
    if (open === undefined || open.next === null) return;
    const slice = open.next;
    open.next = open.snapshot.next(SLICE_BYTES);
    this.#peer.snapshotRead(request, slice, open.next === null);
  }

  #close(request: number): void {
    this.#open.get(request)?.snapshot.close();
    this.#open.delete(request);
  }
}
