import { SeededRandom, type Random } from '../../core/runtime/index.js';

/**
 * What is demanded of a run. Safety: any fault may strike, nothing wrong may ever be seen. Liveness: once the faults stop, all must
 * go on. Founding: the same, but the faults strike while the ensemble is founded and in its first epoch.
 */
export const MODES = ['safety', 'liveness', 'founding'] as const;
export type Mode = (typeof MODES)[number];

export const FAULT_KINDS = [
  'crash',
  'crashPoint',
  'crashAll',
  'pause',
  'partition',
  'oneWay',
  'hub',
  'forgedVotes',
  'flap',
  'reset',
  'slowLine',
  'slowDisk',
  'diskHang',
  'diskError',
  'diskFull',
  'wallClock',
  'clockStop',
  'restart',
  'clientLine',
  'clientDeath',
  'clientLeave',
  'clientPause',
  'takeOver',
  'wrongPassword',
  'readError',
  'damage',
  'rot',
  'tailDamage',
  'missingFile',
  'staleFile',
  'amnesia',
  'lagAndLoss',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const WORKLOADS = [
  'registers',
  'sequences',
  'ephemerals',
  'watching',
  'transfers',
  'pipelines',
  'locks',
  'latches',
  'shards',
  'queue',
  'counter',
  'caches',
  'large',
  'subtrees',
  'bursts',
  'syncs',
  'replies',
  'acls',
  'readers',
] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** What may gather; small in some runs, so that it is reached. */
export interface Bounds {
  /** Proposals of a leader that are not applied yet. */
  readonly uncommittedEntries: number;
  /** Sent to a learner and not acknowledged yet. */
  readonly inFlightBytes: number;
  /** Requests of all clients of a member that are under way. */
  readonly proposals: number;
  /** Requests of one connection. */
  readonly outstanding: number;
  /** Output of one connection that has not left yet. */
  readonly outputBytes: number;
  /** Bytes of transactions of all clients of a member that are under way. */
  readonly bytesUnderWay: number;
  /** Paths of a setWatches in one turn. */
  readonly watchPaths: number;
}

/** Everything about a run that its seed decides beforehand. Durations in milliseconds of virtual time. */
export interface Plan {
  readonly seed: number;
  readonly mode: Mode;
  readonly voters: number;
  readonly observers: number;
  readonly tickMs: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly syncMs: number;
  readonly segmentBytes: number;
  readonly snapshotTxns: number;
  /** Entries that a leader keeps in memory for learners that lag behind. */
  readonly windowEntries: number;
  /** Transactions after which an epoch is given up; a number that is never reached, mostly. */
  readonly epochCounter: number;
  readonly bounds: Bounds;
  readonly clients: number;
  readonly sessionMs: number;
  /** What a client waits between two things that it does, on average. */
  readonly thinkMs: number;
  readonly workloads: readonly WorkloadName[];
  readonly faults: readonly FaultKind[];
  /** Between two faults, on average. */
  readonly faultEveryMs: number;
  /** How long faults strike. */
  readonly strikeMs: number;
  /** Once the faults have stopped, links stay cut for a while, but for those of a quorum among itself: progress is demanded all the same. */
  readonly isSparse: boolean;
  /** In the end every voter loses its disk, beside observers that do not. */
  readonly losesVoters: boolean;
  /** In the end a voter loses its disk and is readmitted, and gets that disk back later. */
  readonly returnsDisk: boolean;
  /** By how much clocks may run too fast or too slow, as a share. */
  readonly skew: number;
}

/** What runs are made to have, whatever their seeds say. */
export interface Focus extends Partial<Omit<Plan, 'seed' | 'mode'>> {
  /** In which to play; both, if it is not said. */
  readonly mode?: Mode;
}

/** What happens to clients alone: no reason for a member to do anything. */
const OF_CLIENTS: readonly FaultKind[] = [
  'clientLine',
  'clientDeath',
  'clientLeave',
  'clientPause',
  'takeOver',
  'wrongPassword',
  'wallClock',
];

/** What an operator and a busy disk do to members, and no more: no write may be left in doubt by it. */
const GENTLE: readonly FaultKind[] = ['restart', 'slowDisk', 'wallClock'];

/** What only safety mode may do: a member notices damage only when it reads the file, which may be never. */
const DAMAGE: readonly FaultKind[] = ['damage', 'rot', 'tailDamage', 'missingFile', 'staleFile'];
const SPARED: Readonly<Record<Mode, readonly FaultKind[]>> = {
  safety: [],
  liveness: DAMAGE,
  founding: DAMAGE,
};
/** What strikes founding ensembles most. */
const LOSSES: readonly FaultKind[] = ['amnesia', 'lagAndLoss', 'crash', 'crashAll'];

const NEVER_USED_UP = 0xffff_f000;

export function planFor(seed: number, mode: Mode): Plan {
  const random = new SeededRandom(
    seed * 2 + (mode === 'safety' ? 0 : 1) + (mode === 'founding' ? 2 ** 32 : 0),
  );
  const tickMs = pick(random, [100, 100, 200, 500]);
  const latencyMs = pick(random, [0, 1, 1, 5, 20]);
  const jitterMs = pick(random, [0, 1, 5, 40]);
  // Who gives up an attempt sooner than an answer can come never has a session.
  const leastSessionMs = 60 * (latencyMs + jitterMs);
  const isLong = random.next() < 0.04;
  const workloads = some(random, WORKLOADS, 1 + Math.floor(random.next() * 4));
  const spared = SPARED[mode];
  const kinds = FAULT_KINDS.filter((kind) => !spared.includes(kind));
  const plan: Plan = {
    seed,
    mode,
    voters: pick(random, [1, 2, 3, 3, 3, 3, 3, 3, 4, 5]),
    observers: pick(random, [0, 0, 0, 1, 1, 2]),
    tickMs,
    latencyMs,
    jitterMs,
    syncMs: pick(random, [0, 1, 5, 20]),
    segmentBytes: pick(random, [4096, 8192, 65_536]),
    snapshotTxns: pick(random, [5, 20, 60, 100_000]),
    windowEntries: pick(random, [5, 50, 1000]),
    epochCounter: random.next() < 0.1 ? pick(random, [20, 60, 150]) : NEVER_USED_UP,
    bounds: {
      uncommittedEntries: pick(random, [2, 20, 20_000]),
      inFlightBytes: pick(random, [2048, 65_536, 16_777_216]),
      proposals: pick(random, [1, 10, 20_000]),
      outstanding: pick(random, [1, 10, 1000]),
      outputBytes: pick(random, [200, 10_000, 1_048_576]),
      bytesUnderWay: pick(random, [20_000, 33_554_432]),
      watchPaths: pick(random, [1, 3, 2_000]),
    },
    clients: 2 + Math.floor(random.next() * 3),
    sessionMs: Math.max(leastSessionMs, tickMs * pick(random, [4, 8, 16, 40])),
    thinkMs: tickMs * pick(random, [0.3, 1, 1, 3]),
    workloads,
    faults: faultsFrom(random, kinds),
    faultEveryMs: tickMs * pick(random, [1, 3, 8]),
    strikeMs: tickMs * pick(random, [15, 30, 50]) * (isLong ? 10 : 1),
    isSparse: mode === 'liveness' && random.next() < 0.3,
    skew: pick(random, [0, 0, 0, 0.01, 0.2]),
    losesVoters: mode === 'safety' && random.next() < 0.3,
    returnsDisk: mode !== 'safety' && random.next() < 0.3,
  };
  return mode === 'founding' ? { ...plan, ...foundingPlan(plan, random) } : plan;
}

/** The faults come thick and fast, and some of them cost a disk. */
function foundingPlan({ tickMs, faults }: Plan, random: Random): Partial<Plan> {
  return {
    voters: pick(random, [2, 3, 3, 3, 3, 4, 5]),
    workloads: ['subtrees'],
    faults: [...faults, ...some(random, LOSSES, 1 + Math.floor(random.next() * 3))],
    faultEveryMs: tickMs * pick(random, [1, 3]),
    strikeMs: tickMs * pick(random, [15, 30, 50]),
    epochCounter: NEVER_USED_UP,
  };
}

/** Whether members are only restarted in order, one after the other, and disks only a little slow. */
export function isGentle({ faults, losesVoters, returnsDisk }: Plan): boolean {
  return faults.every((kind) => GENTLE.includes(kind)) && !losesVoters && !returnsDisk;
}

/** Whether a learner with a slow disk still finds in memory or in the log what it lacks. Otherwise it has to leave for a snapshot. */
export function keepsHistory({ windowEntries, snapshotTxns }: Plan): boolean {
  return windowEntries >= 50 && snapshotTxns >= 60;
}

export function isOfClients(kind: FaultKind): boolean {
  return OF_CLIENTS.includes(kind);
}

/** Whether the leader has to be replaced now and then, because the transactions of its epoch are used up. */
export function isEpochEverUsedUp({ epochCounter }: Plan): boolean {
  return epochCounter < NEVER_USED_UP;
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)]!;
}

export function between(random: Random, least: number, most: number): number {
  return least + random.next() * (most - least);
}

function faultsFrom(random: Random, kinds: readonly FaultKind[]): readonly FaultKind[] {
  const chance = random.next();
  if (chance < 0.03) return [];
  if (chance < 0.08) return GENTLE;
  return some(random, kinds, 1 + Math.floor(random.next() * 6));
}

/** So many different ones. */
function some<T>(random: Random, choices: readonly T[], count: number): readonly T[] {
  const left = [...choices];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random.next() * left.length), 1),
  ).flat();
}
