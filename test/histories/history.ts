import type { EpochTable, LogEntry } from '../../core/storage/index.js';

/** What one end of a connection saw, in the order in which the recorder saw it. */
export type Traffic = {
  /** Number of the connection within the history. */
  readonly connection: number;
  readonly client: string;
  /** Milliseconds since 1970, by the clock that the members use too. */
  readonly at: number;
} & (
  | { readonly type: 'sent' | 'received'; readonly bytes: Uint8Array }
  | { readonly type: 'closed'; readonly code: number; readonly text: string }
);

/** What a member had on disk, at any time of the run. */
export interface MemberLog {
  readonly member: number;
  /** Of the whole history that the member had at the end. */
  readonly epochs: EpochTable;
  /** Also entries that were cut later; sorted by zxid, each once. */
  readonly entries: readonly LogEntry[];
}

/** What a member said of itself when nothing was written any more. */
export interface FinalState {
  readonly member: number;
  readonly zxid: string;
  readonly digest: string;
}

/** All that was recorded of one run. */
export interface History {
  readonly traffic: readonly Traffic[];
  readonly logs: readonly MemberLog[];
  readonly finals: readonly FinalState[];
  /** Ends of member processes that no fault explains, each a sentence. */
  readonly exits: readonly string[];
  /** The subtree in which, at the end, no ephemeral znode and no znode with a time to live may be left. */
  readonly root: string;
}

/** Two things that cannot both be true, or something that must not be. */
export interface Contradiction {
  readonly rule: Rule;
  readonly text: string;
  /** Index in the traffic; null where it concerns no single packet. */
  readonly at: number | null;
}

/**
 * *members*: a process that ended by itself, logs or trees that differ · *replay*: a transaction that does not fit the state before it ·
 * *connection*: order, zxids, replies and watches of one connection · *session*: a session and its ephemerals across connections ·
 * *sequence*: numbers of sequential znodes · *expiry*: containers and times to live · *leftover*: what should be gone at the end.
 */
export type Rule = 'members' | 'replay' | 'connection' | 'session' | 'sequence' | 'expiry' | 'leftover';
