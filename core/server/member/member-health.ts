import type { FoundingStatus } from '../../zab/index.js';
import type { SettingDifference } from '../peers/index.js';

/** Settings of a member that are others than here. */
export interface MemberDifferences {
  readonly member: number;
  readonly differences: readonly SettingDifference[];
}

/** What a member says of itself. Zxids and the digest are hexadecimal. */
export interface MemberHealth {
  readonly id: number;
  /** Id of the ensemble that the data of this member belong to; null if it has none yet. */
  readonly ensemble: string | null;
  /** Members that have no link to this one because their data are of another ensemble, with its id. */
  readonly foreign: readonly { readonly member: number; readonly ensemble: string }[];
  readonly state:
    'starting' | 'leading' | 'following' | 'observing' | 'looking' | 'stopping' | 'failed' | 'closed';
  /** How far it has come in its role: clients are served in `broadcast`. */
  readonly phase: 'election' | 'discovery' | 'synchronization' | 'broadcast';
  /** Clients are welcome: there is a leader with a quorum, and this member is up to date with it. */
  readonly isServing: boolean;
  /** No pause of this process is known of, after which no quorum, or no leader, was heard yet. */
  readonly isConfirmed: boolean;
  /** Why this member must not be stopped: the ensemble would have no quorum without it, or it is unknown. Null if it may be. */
  readonly unstoppable: string | null;
  /** There is no leader with a quorum; clients that asked for it are served reads from what was committed before. */
  readonly readOnly: boolean;
  /** It may have forgotten what it once promised, so it has no vote until the others have taken it back. */
  readonly rejoining: boolean;
  /**
   * Why the voters that are there elect no leader though they would be enough: entries that may have been acknowledged are gone.
   * Null if nothing of that kind stands in the way.
   */
  readonly waitsFor: string | null;
  /** What the founding of a new ensemble waits for, as this voter sees it; null on a member that takes no part in one. */
  readonly founding: FoundingStatus | null;
  /** The member that leads, as far as this one knows. */
  readonly leader: number | null;
  readonly epoch: number;
  /** Last transaction applied here. */
  readonly zxid: string;
  /** Last one known to be committed, and last one durable here. */
  readonly committed: string;
  readonly lastLogged: string;
  /** Of the state at `zxid`: the same on every member that has applied as much. */
  readonly digest: string;
  /** Members whose states were found to differ at that zxid, as far as this member knows; null if none do. */
  readonly stateDifference: { readonly zxid: string; readonly members: readonly number[] } | null;
  /** Members that were started with other settings than this one. */
  readonly differing: readonly MemberDifferences[];
  /** Why the last attempt at a link to a member failed, of those without one that can be told of. */
  readonly linkProblems: readonly { readonly member: number; readonly problem: string }[];
  /** Members that vote, as this one was started. */
  readonly voters: readonly number[];
  /** Members that a link is up to. */
  readonly peers: readonly number[];
  /** On a leader: who follows, and how far each has come. */
  readonly learners: readonly {
    readonly id: number;
    readonly isVoter: boolean;
    readonly isRejoining: boolean;
    readonly isUpToDate: boolean;
    readonly acked: string;
  }[];
  readonly connections: number;
  readonly sessions: number;
  /** What all znodes take in memory, about, and what they may take: on a leader the least that a voter allows; null is no limit. */
  readonly dataBytes: number;
  readonly maxDataBytes: number | null;
  /** This leader refuses writes that make the tree larger. */
  readonly isRefusingGrowth: boolean;
}

/** Of a member that reads its data directory: nothing is known of it yet. */
export function startingHealth(id: number): MemberHealth {
  return {
    id,
    ensemble: null,
    foreign: [],
    state: 'starting',
    phase: 'election',
    isServing: false,
    isConfirmed: false,
    unstoppable: 'it is starting',
    readOnly: false,
    rejoining: false,
    waitsFor: null,
    founding: null,
    leader: null,
    epoch: 0,
    zxid: '0x0',
    committed: '0x0',
    lastLogged: '0x0',
    digest: '0x0',
    stateDifference: null,
    differing: [],
    linkProblems: [],
    voters: [],
    peers: [],
    learners: [],
    connections: 0,
    sessions: 0,
    dataBytes: 0,
    maxDataBytes: null,
    isRefusingGrowth: false,
  };
}
