/**
 * Every graph of links between five voters, with every way in which histories may differ, on virtual time: who may lead,
 * and how long it takes until somebody does. `node dist/test/core/zab/link-graphs.js` plays all and prints the figures.
 */
import { fileURLToPath } from 'node:url';
import { PeerCluster, TICK_MS } from './peer-cluster.js';
import type { DrivenPeer } from './driven-peer.js';

const VOTERS = [1, 2, 3, 4, 5] as const;
const QUORUM = 3;
const PAIRS: readonly (readonly [number, number])[] = VOTERS.flatMap((a) =>
  VOTERS.filter((b) => a < b).map((b) => [a, b] as const),
);
/** Number of labelled graphs of five voters. */
export const GRAPHS = 2 ** PAIRS.length;

/** *equal*: all have the same · *committed*: the hub lacks committed entries · *uncommitted*: it lacks what a minority has. */
export const LAGS = ['equal', 'committed', 'uncommitted'] as const;
/** *cold*: everybody starts with these links · *cut*: they are what is left under a running leader. */
export const STARTS = ['cold', 'cut'] as const;
export type Lag = (typeof LAGS)[number];
export type Start = (typeof STARTS)[number];

/** Within so many ticks somebody leads and commits, if anybody may: after the start, or after the cut (`syncLimit` is 5). */
export const BOUND_TICKS: Readonly<Record<Start, number>> = { cold: 6, cut: 9 };
/** The new leader is watched for so long. */
const WATCHED_TICKS = 8;

export interface Outcome {
  /** Ticks until somebody served; null if nobody did. */
  readonly ticks: number | null;
  /** Some voter has links to a quorum. */
  readonly hasHub: boolean;
  /** Some quorum of voters is fully connected. */
  readonly hasClique: boolean;
}

/** Plays one graph; throws if the promise is broken. */
export function play(graph: number, lag: Lag, start: Start): Outcome {
  const links = new LinkGraph(graph);
  const cluster = new PeerCluster(graph + 1, { voters: VOTERS.length, observers: 0 });
  cluster.network.latencyMs = 5;
  cluster.startAll();
  cluster.runUntil(() => cluster.isSettled(), 'an ensemble is formed');
  const hub = VOTERS.find((voter) => links.degree(voter) >= QUORUM - 1) ?? 1;
  if (cluster.leader()!.id === hub) {
    cluster.leader()!.transferLeadership();
    cluster.runUntil(() => cluster.isSettled() && cluster.leader()!.id !== hub, 'another one leads');
  }
  const former = cluster.leader()!;
  const epoch = former.status()!.epoch;
  makeHistoriesDiffer(cluster, hub, lag);
  if (start === 'cold') for (const member of cluster.members) member.crash();
  cut(cluster, links);
  cluster.startAll();

  const cutMs = cluster.time.nowMs;
  const keepsLeader = start === 'cut' && links.degree(former.id) >= QUORUM - 1;
  const served = untilServed(cluster, cutMs + BOUND_TICKS[start] * TICK_MS, keepsLeader ? null : epoch);
  const outcome = { hasHub: links.hasHub, hasClique: links.hasClique };
  if (served === null) {
    if (links.hasHub)
      throw new Error(`a voter has links to a quorum, and nobody serves\n${cluster.describe()}`);
    return { ...outcome, ticks: null };
  }
  if (keepsLeader && served.id !== former.id) throw new Error('a leader with a quorum was exchanged');
  const ticks = (cluster.time.nowMs - cutMs) / TICK_MS;
  const before = served.status()!.epoch;
  cluster.run(WATCHED_TICKS * TICK_MS);
  if (served.status()!.epoch !== before || !served.status()!.isEstablishedLeader)
    throw new Error(`the leader did not last\n${cluster.describe()}`);
  return { ...outcome, ticks };
}

/** Who leads and has committed something in a later epoch than `after`; null if nobody has by then. */
function untilServed(cluster: PeerCluster, untilMs: number, after: number | null): DrivenPeer | null {
  const { time, ghost } = cluster;
  const length = ghost.list.length;
  const isLater = ({ peer }: DrivenPeer): boolean => after === null || peer!.status().epoch > after;
  while (cluster.step(untilMs)) {
    const leader = cluster.members.find((member) => member.peer?.admits === true && isLater(member));
    if (leader === undefined) continue;
    const { lastProposed, delivered } = leader.status()!;
    if (ghost.list.length > length && delivered === lastProposed) return leader;
    if (delivered === lastProposed) leader.propose(new TextEncoder().encode(`${time.nowMs}`));
  }
  return null;
}

function makeHistoriesDiffer(cluster: PeerCluster, hub: number, lag: Lag): void {
  const { network, ghost } = cluster;
  const leader = cluster.leader()!;
  if (lag === 'equal') return;
  const companion = VOTERS.find((voter) => voter !== leader.id && voter !== hub);
  const kept = lag === 'committed' ? VOTERS.filter((voter) => voter !== hub) : [leader.id, companion!];
  for (const voter of VOTERS) if (!kept.includes(voter)) network.block(leader.id, voter);
  const before = ghost.list.length;
  for (let count = 0; count < 3; count++) cluster.propose(8);
  const held = (): boolean =>
    kept.every((voter) => cluster.member(voter).disk.last === leader.status()!.lastProposed);
  cluster.runUntil(
    () => held() && (lag === 'uncommitted' || ghost.list.length === before + 3),
    'the histories differ',
  );
}

/** What is not a link of the graph is broken, and never made again. */
function cut({ network }: PeerCluster, links: LinkGraph): void {
  network.heal();
  for (const [a, b] of PAIRS) {
    if (links.has(a, b)) continue;
    network.block(a, b);
    network.block(b, a);
    network.reset(a, b);
  }
}

class LinkGraph {
  readonly #graph: number;

  constructor(graph: number) {
    this.#graph = graph;
  }

  has(a: number, b: number): boolean {
    const index = PAIRS.findIndex(([low, high]) => low === Math.min(a, b) && high === Math.max(a, b));
    return index >= 0 && (this.#graph & (1 << index)) !== 0;
  }

  degree(voter: number): number {
    return VOTERS.filter((other) => this.has(voter, other)).length;
  }

  get hasHub(): boolean {
    return VOTERS.some((voter) => this.degree(voter) >= QUORUM - 1);
  }

  get hasClique(): boolean {
    return VOTERS.some((a) =>
      VOTERS.some((b) => VOTERS.some((c) => this.has(a, b) && this.has(b, c) && this.has(a, c))),
    );
  }
}

/** Plays every graph and prints how many serve. */
function playAll(): void {
  for (const start of STARTS) {
    for (const lag of LAGS) {
      const outcomes = Array.from({ length: GRAPHS }, (_, graph) => {
        try {
          return play(graph, lag, start);
        } catch (error) {
          throw new Error(`graph ${graph}, ${lag}, ${start}`, { cause: error });
        }
      });
      const count = (holds: (outcome: Outcome) => boolean): number => outcomes.filter(holds).length;
      const ticks = outcomes.map((outcome) => outcome.ticks ?? 0);
      console.log(
        `${start}, ${lag}: ${count((outcome) => outcome.ticks !== null)} of ${GRAPHS} graphs serve; ` +
          `${count((outcome) => outcome.hasHub)} have a voter with links to a quorum, ` +
          `${count((outcome) => outcome.hasClique)} a connected quorum; ` +
          `${count((outcome) => outcome.hasClique && outcome.ticks === null)} of these do not serve; at most ${Math.max(...ticks).toFixed(1)} ticks`,
      );
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) playAll();
