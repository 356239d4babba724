import type { EpochTable } from './epoch-table.js';
import type { Entry, Rejoining } from './peer-config.js';
import type { PeerMessage } from './peer-message.js';
import type { PeerStatus } from './peer-status.js';

/**
 * What there is to do. Every list may be empty. The lists may be carried out in any order and at the same time,
 * as long as each destination gets its `messages` in sequence, the disk gets `persist` and `install` in
 * sequence over all Readys, and `committed` is applied in sequence; then `received`, `readIndexes` and `status`.
 */
export interface Ready {
  /** To be made durable, then reported with `persisted(number)`. */
  readonly persist: PersistRequest | null;
  /** To be sent now over exactly that link; dropped if it is down. Equal objects have equal bytes: encode them once. */
  readonly messages: readonly OutgoingMessage[];
  /** Links to close: the other end broke the protocol or fell too far behind. The peer counts them as down already. */
  readonly disconnects: readonly LinkToClose[];
  /** A snapshot on its way in, to be staged; it takes effect with the `persist` that names it. */
  readonly install: readonly InstallStep[];
  /** Committed and locally durable: to be applied now, in order. Epoch markers are among them. */
  readonly committed: readonly Entry[];
  /** Application messages of the leader or of a learner, in the order in which they were sent. */
  readonly received: readonly ApplicationMessage[];
  /** Pings and echoes that came with a payload. */
  readonly pings: readonly ApplicationMessage[];
  /** Answers to `readIndex`: whoever has applied `zxid` has everything that was acknowledged to anybody before the question. */
  readonly readIndexes: readonly ReadIndexAnswer[];
  /** Durable entries to be read from the log; answered with `entriesRead(request, …)`. */
  readonly reads: readonly LogRead[];
  /** What to do about snapshots that learners need. */
  readonly snapshots: readonly SnapshotStep[];
  /** Set when it changed in anything but its zxids; to be acted on after `committed` is applied. */
  readonly status: PeerStatus | null;
}

/** One batch for the disk; its parts take effect in this order. */
export interface PersistRequest {
  /** Counts from 1 without gaps. */
  readonly number: number;
  /** The snapshot staged under that number: switch the disk to it, load its state in the place of all that was applied, then report the batch. Never with other parts. */
  readonly installSnapshot?: { readonly install: number; readonly zxid: bigint; readonly epochs: EpochTable };
  readonly acceptedEpoch?: number;
  /** Replaces `RestoredHistory.rejoining`: from now on this member counts (null, *founding*), or does not, for this reason. */
  readonly rejoining?: Rejoining | null;
  readonly truncateAfter?: bigint;
  readonly entries: readonly Entry[];
}

export interface OutgoingMessage {
  readonly to: number;
  readonly link: number;
  readonly message: PeerMessage;
}

export interface LinkToClose {
  readonly peer: number;
  readonly link: number;
  readonly reason: string;
}

export interface ApplicationMessage {
  readonly from: number;
  readonly bytes: Uint8Array;
}

export interface ReadIndexAnswer {
  readonly token: number;
  readonly zxid: bigint;
}

export interface LogRead {
  readonly request: number;
  /** Entries behind this one are wanted, oldest first. */
  readonly after: bigint;
  /** As many as fit, but at least one. */
  readonly maxBytes: number;
}

/** How a snapshot for a learner is read: `open` freezes the applied state, each `next` asks for one more piece (behind the last one it needs no answer), `close` lets go of it. */
export type SnapshotStep =
  | { readonly type: 'open'; readonly request: number; readonly learner: number }
  | { readonly type: 'next'; readonly request: number }
  | { readonly type: 'close'; readonly request: number };

/** A snapshot that the leader sends: pieces between `begin` and either the `persist` that names it or `abort`. */
export type InstallStep =
  | { readonly type: 'begin'; readonly install: number; readonly zxid: bigint; readonly epochs: EpochTable }
  | { readonly type: 'chunk'; readonly install: number; readonly bytes: Uint8Array }
  | { readonly type: 'abort'; readonly install: number };
