import type { PeerMessage } from './peer-message.js';

/**
 * One member's part in Zab, with no I/O in it. Three inputs — a tick, a message, a proposal — and one output,
 * a `Ready`. Whatever a message promises is already durable when the message appears in a Ready: the peer
 * holds it back until `persisted` says so. The caller therefore carries out each Ready in any order that
 * keeps `messages` in sequence per destination, `persist` batches in sequence, and `committed` in sequence.
 */
export interface PeerDoor {
  /** Monotonic milliseconds; drives elections, heartbeats and timeouts. */
  tick(nowMs: number): void;
  /** A link to another member is up, or down. `link` numbers the connection: the newest wins, messages of older ones are dropped. */
  connected(peerId: number, link: number): void;
  disconnected(peerId: number, link: number): void;
  step(peerId: number, link: number, message: PeerMessage): void;
  /** Proposes a transaction. Only while `status().isEstablishedLeader`; returns the zxid it got, which is always the previous `nextZxid()`. */
  propose(payload: Uint8Array): bigint;
  nextZxid(): bigint;
  /** Takes what there is to do, or null. */
  ready(): Ready | null;
  /** The batch with this number is durable. */
  persisted(batch: number): void;
  status(): PeerStatus;
}

export interface Entry {
  readonly zxid: bigint;
  /** Empty for the marker that opens an epoch; otherwise an encoded transaction. */
  readonly payload: Uint8Array;
}

export interface Ready {
  /** To be made durable, then reported with `persisted(number)`. */
  readonly persist: {
    readonly number: number;
    readonly acceptedEpoch?: number;
    readonly truncateAfter?: bigint;
    readonly entries: readonly Entry[];
  } | null;
  /** To be sent now. Encode a message once even if it goes to many. */
  readonly messages: readonly { readonly to: number; readonly message: PeerMessage }[];
  /** Committed and locally durable: to be applied now, in order. Epoch markers are among them. */
  readonly committed: readonly Entry[];
  /** Set when role or phase changed; the caller opens or closes its client service accordingly, after applying `committed`. */
  readonly status: PeerStatus | null;
}

export interface PeerStatus {
  readonly state: 'looking' | 'following' | 'leading' | 'observing';
  readonly phase: 'election' | 'discovery' | 'synchronization' | 'broadcast';
  readonly leader: number | null;
  readonly epoch: number;
  /** Leading, and a quorum has acknowledged this epoch: proposals are welcome. */
  readonly isEstablishedLeader: boolean;
  readonly lastProposed: bigint;
  readonly lastDurable: bigint;
  readonly committed: bigint;
}

export interface PeerConfig {
  /** This member, 1 to 254. */
  readonly id: number;
  readonly voters: readonly number[];
  readonly observers?: readonly number[];
  /** Length of a tick in milliseconds; every other duration is a number of ticks. */
  readonly tickMs: number;
  /** Ticks that connecting, discovery and synchronization may each take. Default 10. */
  readonly initLimit?: number;
  /** Ticks of silence after which leader and learner give each other up. Default 5. */
  readonly syncLimit?: number;
  /** Seed for the jitter of elections. */
  readonly seed: number;
}

/** What a member finds on its disk when it starts. */
export interface RestoredHistory {
  readonly acceptedEpoch: number;
  readonly snapshotZxid: bigint;
  readonly epochs: readonly { readonly epoch: number; readonly lastZxid: bigint }[];
  /** Durable entries behind the snapshot; whether they are committed is not known yet. */
  readonly entries: readonly Entry[];
}
