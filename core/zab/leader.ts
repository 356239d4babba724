import { EpochDiscovery } from './epoch-discovery.js';
import type { Entry } from './peer-config.js';
import type { PeerState } from './peer-state.js';
import type { PeerMessage } from './peer-message.js';
import type { PeerPhase } from './peer-status.js';
import type { ReadIndexAnswer } from './ready.js';
import type { Role } from './role.js';
import { invariant, ProposalRefused } from './zab-error.js';
import { counterOf, makeZxid } from './zxid.js';

const EMPTY = new Uint8Array(0);

interface PendingReadIndex {
  readonly token: number;
  readonly zxid: bigint;
}

/**
 * The leader's part. *discovery*: an epoch that a quorum has promised to nobody else; *synchronization*: a
 * quorum holds this history and the marker of the epoch behind it; *broadcast*: proposals.
 */
export class Leader implements Role {
  readonly name = 'leading';
  readonly #state: PeerState;
  readonly #discovery: EpochDiscovery;
  /** How far each voter, this one among them, has acknowledged. */
  readonly #acked = new Map<number, bigint>();
  #phase: PeerPhase = 'discovery';
  #deadlineMs: number;
  #proposedBytes = 0;
  #proposedSizes: { zxid: bigint; bytes: number }[] = [];
  #isDraining = false;
  #readIndexes: PendingReadIndex[] = [];

  constructor(state: PeerState) {
    this.#state = state;
    this.#discovery = new EpochDiscovery(state.quorum);
    this.#deadlineMs = state.nowMs + state.config.initLimitMs;
    this.#noteAccepted(state.id, state.disk.acceptedEpoch);
  }

  get phase(): PeerPhase {
    return this.#phase;
  }

  get leader(): number {
    return this.#state.id;
  }

  get epoch(): number {
    return this.#discovery.epoch ?? 0;
  }

  get isServing(): boolean {
    return this.isEstablished;
  }

  /** A quorum holds the marker, and this member has applied everything up to it (primary integrity). */
  get isEstablished(): boolean {
    return this.#phase === 'broadcast' && this.#state.deliveredZxid >= makeZxid(this.epoch, 0);
  }

  get admits(): boolean {
    return this.refusal === null;
  }

  /** Why a proposal is not welcome; null if it is. */
  get refusal(): string | null {
    const { limits } = this.#state.config;
    if (!this.isEstablished) return 'this member is not an established leader';
    if (this.#isDraining) return 'this leader is about to hand over';
    if (this.#proposedSizes.length >= limits.uncommittedEntries) return 'too many proposals are in flight';
    if (this.#proposedBytes >= limits.uncommittedBytes) return 'too many bytes are in flight';
    return null;
  }

  nextZxid(): bigint {
    return this.#state.history.last + 1n;
  }

  propose(payload: Uint8Array): bigint {
    const refusal = this.refusal;
    if (refusal !== null) throw new ProposalRefused(refusal);
    const zxid = this.nextZxid();
    this.#append({ zxid, payload });
    this.#proposedSizes.push({ zxid, bytes: payload.length });
    this.#proposedBytes += payload.length;
    if (counterOf(zxid) >= this.#state.config.limits.epochCounter) this.#isDraining = true;
    return zxid;
  }

  readIndex(token: number): void {
    this.#readIndexes.push({ token, zxid: this.#state.history.last });
  }

  takeReadIndexes(): ReadIndexAnswer[] {
    const ready = this.#readIndexes.filter(({ zxid }) => zxid <= this.#state.commitZxid);
    if (ready.length > 0) this.#readIndexes = this.#readIndexes.filter((pending) => !ready.includes(pending));
    return ready;
  }

  tick(): void {
    if (this.#phase !== 'broadcast' && this.#state.nowMs >= this.#deadlineMs) {
      this.#state.become({ to: 'looking', reason: `no quorum in ${this.#phase} within the limit` });
    }
  }

  linkUp(): void {}

  linkDown(): void {}

  step(_from: number, _message: PeerMessage): void {}

  durable(): void {
    if (this.#phase === 'discovery') this.#promiseOwnEpoch();
    if (this.#phase !== 'discovery') this.#noteAck(this.#state.id, this.#state.disk.durableZxid);
  }

  flush(): void {
    const delivered = this.#state.deliveredZxid;
    let settled = 0;
    for (const { zxid, bytes } of this.#proposedSizes) {
      if (zxid > delivered) break;
      this.#proposedBytes -= bytes;
      settled += 1;
    }
    if (settled > 0) this.#proposedSizes.splice(0, settled);
    if (this.#isDraining && delivered === this.#state.history.last) {
      this.#state.become({ to: 'leading', reason: `epoch ${this.epoch} is used up` });
    }
  }

  leave(): void {}

  #noteAccepted(voter: number, acceptedEpoch: number): void {
    if (!this.#discovery.noteAccepted(voter, acceptedEpoch, this.#state.promisedElsewhere)) return;
    this.#state.disk.saveAcceptedEpoch(this.epoch);
  }

  #promiseOwnEpoch(): void {
    if (this.#discovery.epoch === null || this.#state.disk.durableAcceptedEpoch < this.epoch) return;
    this.#notePromise(this.#state.id);
  }

  #notePromise(voter: number): void {
    this.#discovery.notePromise(voter);
    if (this.#phase !== 'discovery' || !this.#discovery.hasPromiseQuorum) return;
    this.#phase = 'synchronization';
    this.#deadlineMs = this.#state.nowMs + this.#state.config.initLimitMs;
    this.#append({ zxid: makeZxid(this.epoch, 0), payload: EMPTY });
  }

  #append(entry: Entry): void {
    this.#state.history.append(entry);
    this.#state.disk.append(entry);
  }

  /** Only what belongs to this epoch is committed by counting; everything older is committed by standing before it. */
  #noteAck(voter: number, zxid: bigint): void {
    const marker = makeZxid(this.epoch, 0);
    if (zxid < marker) return;
    invariant(zxid <= this.#state.history.last, 'nobody can hold what was never proposed', { voter, zxid });
    this.#acked.set(voter, zxid);
    const committed = this.#state.quorum.reachedBy(this.#acked);
    if (committed === null || !this.#acked.has(this.#state.id)) return;
    if (this.#phase === 'synchronization') {
      this.#phase = 'broadcast';
      this.#state.vote = { ...this.#state.vote, leader: this.#state.id, epoch: this.epoch };
    }
    this.#state.advanceCommit(committed);
  }
}
