import type { StateMachine } from '../../data/index.js';
import type { Entry, PeerMessage, PeerStatus } from '../../zab/index.js';

/**
 * Looks on while a member works, for simulations that check what must hold at every step. Each method is called at
 * its moment, synchronously; it must change nothing and keep none of the machine. What it throws ends the member.
 */
export interface MemberProbe {
  /** The member has read its disk, and is about to take part. */
  started?(machine: StateMachine): void;
  /** This member, leading, has proposed a transaction. */
  proposed?(zxid: bigint, payload: Uint8Array): void;
  /** Is about to leave for another member. */
  sent?(to: number, message: PeerMessage): void;
  /** A committed entry has been applied, and those who are told of it are about to be. Markers of epochs are entries too. */
  applied?(entry: Entry, machine: StateMachine): void;
  /** A snapshot of the leader has taken the place of the whole state. */
  installed?(machine: StateMachine): void;
  /** A turn of the loop is over. */
  turned?(gauges: MemberGauges): void;
}

/** What a member holds in memory, in numbers. */
export interface MemberGauges {
  readonly status: PeerStatus;
  /** Connections that have a session here. */
  readonly connections: number;
  /** Requests of this member's clients that are under way. */
  readonly requests: number;
  readonly held: MemberHoldings;
}

/** What a member holds on behalf of clients and other members. All of it goes when they do. */
export interface MemberHoldings {
  readonly watches: number;
  /** Sessions that are connected to this member. */
  readonly attachedSessions: number;
  /** Bytes of requests that were received and are not processed yet. */
  readonly receivedBytes: number;
  /** Bytes of transactions that were proposed for clients of this member, or forwarded, and are not applied yet. */
  readonly bytesInFlight: number;
  /** Questions to the leader or to a quorum that are not answered yet: read indexes, sessions to revalidate. */
  readonly openQuestions: number;
  readonly pendingSyncs: number;
  readonly peerLinks: number;
  /** Connections at the peer address that have not authenticated yet. */
  readonly unprovenLinks: number;
  /** Views of the state that a snapshot is read from. */
  readonly frozenViews: number;
  /** Snapshots of a leader of which something has arrived and that have not taken the place of the state. */
  readonly snapshotArrivals: number;
}
