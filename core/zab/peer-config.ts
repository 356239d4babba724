import type { EpochTable } from './epoch-table.js';
import { InvalidPeerConfig } from './zab-error.js';
import { COUNTER_SOFT_LIMIT, epochOf, formatZxid, isSuccessor, NO_ZXID } from './zxid.js';

export interface Entry {
  readonly zxid: bigint;
  /** For the marker that opens an epoch: what the caller put there, mostly nothing; otherwise an encoded transaction. */
  readonly payload: Uint8Array;
}

/** Bounds of what a member holds in memory or sends at once. */
export interface PeerLimits {
  /** Entries that are applied already and stay in memory, to bring a learner up to date without the disk. Default 1000. */
  readonly windowEntries: number;
  /** Bytes of the same. Default 16 MiB. */
  readonly windowBytes: number;
  /** Bytes of entries in one message, unless a single entry is larger. Default 1 MiB. */
  readonly messageBytes: number;
  /** Bytes sent to one learner and not acknowledged yet, from which on it is sent no more. Default 16 MiB. */
  readonly inFlightBytes: number;
  /** Proposals not applied yet at which the leader admits no more. Default 20 000. */
  readonly uncommittedEntries: number;
  /** Bytes of the same. Default 64 MiB. */
  readonly uncommittedBytes: number;
  /** The counter at which an epoch is given up in order. Default 0xfffff000. */
  readonly epochCounter: number;
}

export interface PeerConfig {
  /** This member, 1 to 254. */
  readonly id: number;
  readonly voters: readonly number[];
  readonly observers?: readonly number[];
  /** Length of a tick in milliseconds; every other duration is a number of ticks. */
  readonly tickMs: number;
  /** Ticks that connecting, discovery and synchronization may each take without progress. Default 10. */
  readonly initLimit?: number;
  /** Ticks of silence after which leader and learner give each other up. Default 5. */
  readonly syncLimit?: number;
  /** Seed for the jitter of elections. */
  readonly seed: number;
  readonly limits?: Partial<PeerLimits>;
  /** What a leader puts into the marker of its epoch. Default: nothing. */
  readonly markerPayload?: MarkerPayload;
}

/**
 * Asked once by each leader, when its history is final. `unapplied`: payloads of the markers in it that were not handed out as
 * committed yet. `isBlank`: there is no transaction in it.
 */
export type MarkerPayload = (history: {
  readonly unapplied: readonly Uint8Array[];
  readonly isBlank: boolean;
}) => Uint8Array;

const NO_BYTES = new Uint8Array(0);

/** What a member finds on its disk when it starts. All of it must have been synced (not merely read back) before. */
export interface RestoredHistory {
  readonly acceptedEpoch: number;
  /** Of the state that the caller has loaded; everything up to it is committed. Zero without a snapshot. */
  readonly snapshotZxid: bigint;
  /** The epochs of the snapshot's own history, up to `snapshotZxid`. */
  readonly epochs: EpochTable;
  /** Durable entries behind the snapshot; whether they are committed is not known yet. */
  readonly entries: readonly Entry[];
  /** Why this member does not count, or that it counts in a founding under way; null or absent if it counts. */
  readonly rejoining?: Rejoining | null;
  /** Entries behind the last one and up to this zxid may have been acknowledged, and are gone. Default null: there are none. */
  readonly mayHold?: bigint | null;
}

/**
 * *new*: there was nothing on the disk at all, or the member was an observer · *damaged*: what was there is lost, wholly or in part · *diverged*: the
 * state, and so perhaps the log, differs from a quorum's · *founding*: the member counts, but it does not know yet whether
 * every voter of its new ensemble does.
 */
export type Rejoining = 'new' | 'damaged' | 'diverged' | 'founding';

/** The configuration with its defaults filled in and its ticks multiplied out. */
export interface ResolvedConfig {
  readonly id: number;
  readonly voters: readonly number[];
  /** Ascending. */
  readonly observers: readonly number[];
  /** Voters and observers without this member, ascending. */
  readonly others: readonly number[];
  readonly isVoter: boolean;
  readonly tickMs: number;
  readonly initLimitMs: number;
  readonly syncLimitMs: number;
  readonly seed: number;
  readonly limits: PeerLimits;
  readonly markerPayload: MarkerPayload;
}

const DEFAULT_LIMITS: PeerLimits = {
  windowEntries: 1000,
  windowBytes: 16 * 1024 * 1024,
  messageBytes: 1024 * 1024,
  inFlightBytes: 16 * 1024 * 1024,
  uncommittedEntries: 20_000,
  uncommittedBytes: 64 * 1024 * 1024,
  epochCounter: COUNTER_SOFT_LIMIT,
};

/** Throws `InvalidPeerConfig` naming what is wrong. */
export function resolveConfig(config: PeerConfig): ResolvedConfig {
  const observers = config.observers ?? [];
  const members = [...config.voters, ...observers];
  for (const id of members)
    requireThat(Number.isInteger(id) && id >= 1 && id <= 254, `member ${id}: an id is 1 to 254`);
  requireThat(new Set(members).size === members.length, `members ${members.join(', ')}: an id appears twice`);
  requireThat(config.voters.length > 0, 'an ensemble needs at least one voter');
  requireThat(members.includes(config.id), `member ${config.id} is neither a voter nor an observer`);
  const { tickMs, initLimit = 10, syncLimit = 5, limits } = config;
  for (const [name, value] of Object.entries({ tickMs, initLimit, syncLimit, ...limits })) {
    requireThat(Number.isFinite(value) && value > 0, `${name} is ${value}: it must be a positive number`);
  }
  return {
    id: config.id,
    voters: [...config.voters].sort((a, b) => a - b),
    observers: [...observers].sort((a, b) => a - b),
    others: members.filter((id) => id !== config.id).sort((a, b) => a - b),
    isVoter: config.voters.includes(config.id),
    tickMs,
    initLimitMs: initLimit * tickMs,
    syncLimitMs: syncLimit * tickMs,
    seed: config.seed,
    limits: { ...DEFAULT_LIMITS, ...limits },
    markerPayload: config.markerPayload ?? (() => NO_BYTES),
  };
}

/** Throws `InvalidPeerConfig` if the parts do not fit together: such a disk must not vote. */
export function checkRestored(restored: RestoredHistory): void {
  const lastOfTable = restored.epochs.at(-1)?.lastZxid ?? NO_ZXID;
  requireThat(
    lastOfTable === restored.snapshotZxid,
    `the snapshot ends at ${formatZxid(restored.snapshotZxid)}, its table of epochs at ${formatZxid(lastOfTable)}`,
  );
  let previous = restored.snapshotZxid;
  for (const { zxid } of restored.entries) {
    requireThat(
      isSuccessor(zxid, previous),
      `the log has ${formatZxid(zxid)} behind ${formatZxid(previous)}: a gap`,
    );
    previous = zxid;
  }
  requireThat(
    epochOf(previous) <= restored.acceptedEpoch,
    `the log ends at ${formatZxid(previous)}, but no epoch above ${restored.acceptedEpoch} was promised`,
  );
}

function requireThat(holds: boolean, message: string): void {
  if (!holds) throw new InvalidPeerConfig(message);
}
