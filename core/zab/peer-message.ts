import type { EpochTable } from './epoch-table.js';
import type { Entry } from './peer-config.js';
import type { PeerRole } from './peer-status.js';
import type { Standing } from './standing.js';
import type { Vote } from './vote.js';

/** What members say to each other. ZooKeeper's name, where it differs, stands behind each. */
export type PeerMessage =
  | Notification
  | LearnerInfo
  | NewEpoch
  | AckEpoch
  | Diff
  | Trunc
  | Lend
  | Snap
  | SnapshotChunk
  | SnapshotAck
  | Proposal
  | Inform
  | Ack
  | Commit
  | UpToDate
  | Ping
  | Pong
  | HandOver
  | Readmit
  | Readmitted
  | Application;

/** Anybody to anybody: how the sender votes, in which role it is, and whether it is one to vote for. */
export interface Notification {
  readonly type: 'notification';
  readonly state: PeerRole;
  readonly round: number;
  readonly vote: Vote;
  /** Of the sender. */
  readonly standing: Standing;
  /** The last entry that the sender may have acknowledged, if its standing is *ambiguous*. */
  readonly mayHold?: bigint;
  /** The last durable zxid of the sender. */
  readonly claim: bigint;
  /** Of a candidate: it has links to a quorum of voters that look for a leader. Of a leader: to a quorum. False of others. */
  readonly canLead: boolean;
  /** Of a candidate: no such quorum is without a voter with a more recent history, which it has to take over first. */
  readonly isBehind: boolean;
}

/** Learner to leader: I follow you; this is what I promised (CEPOCH; FOLLOWERINFO, OBSERVERINFO). */
export interface LearnerInfo {
  readonly type: 'learnerInfo';
  /** Numbers the learner's attempts; what the leader sends before it echoes this one belongs to an older attempt. */
  readonly attempt: number;
  readonly acceptedEpoch: number;
  readonly standing: Standing;
  /** As in a notification. */
  readonly mayHold?: bigint;
}

/** Leader to learner: this will be my epoch (NEWEPOCH; LEADERINFO). */
export interface NewEpoch {
  readonly type: 'newEpoch';
  readonly attempt: number;
  readonly epoch: number;
}

/** Learner to leader: promised, and this is my history (ACK-E; ACKEPOCH). */
export interface AckEpoch {
  readonly type: 'ackEpoch';
  readonly epoch: number;
  /** False if this epoch was promised before, to somebody else or to nobody knows whom: then it counts for nobody. */
  readonly isPromise: boolean;
  /** The learner's state differs from a quorum's: it has to be replaced by a snapshot, whatever its log holds. */
  readonly needsSnapshot: boolean;
  readonly lastZxid: bigint;
  readonly epochs: EpochTable;
}

/** Leader to learner: your history is the beginning of mine; what follows comes behind `after`. */
export interface Diff {
  readonly type: 'diff';
  readonly epoch: number;
  readonly after: bigint;
}

/** Leader to learner: cut everything behind `after`, then as with a diff. */
export interface Trunc {
  readonly type: 'trunc';
  readonly epoch: number;
  readonly after: bigint;
}

/**
 * Leader to the follower with the most recent history, before the epoch begins: send me what you have more. This is mine. The
 * answer is a diff or trunc, and proposals up to what the follower has reported.
 */
export interface Lend {
  readonly type: 'lend';
  readonly epoch: number;
  readonly lastZxid: bigint;
  readonly epochs: EpochTable;
}

/** Leader to learner: a snapshot of my state at `zxid` follows in chunks and replaces your history. */
export interface Snap {
  readonly type: 'snap';
  readonly epoch: number;
  readonly zxid: bigint;
  readonly epochs: EpochTable;
}

export interface SnapshotChunk {
  readonly type: 'snapshotChunk';
  readonly epoch: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Learner to leader: that many chunks have arrived. */
export interface SnapshotAck {
  readonly type: 'snapshotAck';
  readonly epoch: number;
  readonly chunks: number;
}

/** Leader to follower: append these; everything up to `commit` is committed (PROPOSE and COMMIT). The marker of the epoch among them is NEWLEADER. */
export interface Proposal {
  readonly type: 'proposal';
  readonly epoch: number;
  readonly entries: readonly Entry[];
  readonly commit: bigint;
}

/** Leader to observer: these are committed (INFORM). */
export interface Inform {
  readonly type: 'inform';
  readonly epoch: number;
  readonly entries: readonly Entry[];
}

/** Learner to leader: durable up to `zxid` (ACK; ACK-LD once it reaches the epoch's marker). */
export interface Ack {
  readonly type: 'ack';
  readonly epoch: number;
  readonly zxid: bigint;
}

/** Leader to follower: committed up to `zxid`. */
export interface Commit {
  readonly type: 'commit';
  readonly epoch: number;
  readonly zxid: bigint;
}

/** Leader to learner: the epoch is established and the ensemble founded; serve clients once you have applied `commit` (COMMIT-LD; UPTODATE). */
export interface UpToDate {
  readonly type: 'upToDate';
  readonly epoch: number;
  readonly commit: bigint;
}

/** Leader to learner, and its echo. Payloads belong to the caller: touched sessions, for one. */
export interface Ping {
  readonly type: 'ping';
  readonly epoch: number;
  readonly nonce: number;
  /** The highest nonce that the leader has heard this learner echo; 0 for none. */
  readonly heard: number;
  readonly payload: Uint8Array;
}

export interface Pong {
  readonly type: 'pong';
  readonly epoch: number;
  readonly nonce: number;
  readonly payload: Uint8Array;
}

/** Leader to learner: I am done; `leader` takes over, in election round `round`. */
export interface HandOver {
  readonly type: 'handOver';
  readonly epoch: number;
  readonly leader: number;
  readonly round: number;
}

/** Leader to learner: you hold all that you may have forgotten; make durable that you count from now on. */
export interface Readmit {
  readonly type: 'readmit';
  readonly epoch: number;
}

/** Learner to leader: that is durable. */
export interface Readmitted {
  readonly type: 'readmitted';
  readonly epoch: number;
}

/** Learner to leader or leader to learner: opaque here. */
export interface Application {
  readonly type: 'application';
  readonly epoch: number;
  readonly bytes: Uint8Array;
}
