import { SimulatedCluster, TICK_MS, type Shape } from './simulated-cluster.js';

/** A shape for this seed: mostly three voters, sometimes one or five, with and without observers, in tight limits. */
function shapeOf(seed: number): Shape {
  const voters = [3, 3, 5, 3, 1, 5, 2, 3][seed % 8]!;
  const observers = [0, 1, 0, 2][seed % 4]!;
  const limits = {
    windowEntries: [5, 20, 1000][seed % 3]!,
    messageBytes: [40, 400, 4000][seed % 3]!,
    inFlightBytes: [300, 3000, 30_000][Math.floor(seed / 3) % 3]!,
    uncommittedEntries: 50,
    epochCounter: seed % 5 === 0 ? 15 : 1_000_000,
  };
  return { voters, observers, limits };
}

/** Lets faults strike for some seconds of virtual time, then heals everything and demands progress. */
export function runFaulty(seed: number): SimulatedCluster {
  const cluster = new SimulatedCluster(seed, shapeOf(seed));
  cluster.network.forgedVotes = seed % 3 === 1 ? 0.3 : 0;
  cluster.ghost.areVotesGenuine = cluster.network.forgedVotes === 0;
  if (seed % 6 === 5) for (const { disk } of cluster.members) disk.wipe();
  cluster.startAll();
  const intensity = [0.2, 0.5, 1][Math.floor(seed / 7) % 3]!;
  aim(cluster, intensity);
  const steps = 120 + (seed % 4) * 40;
  for (let step = 0; step < steps; step++) {
    cluster.run(cluster.random.next() * TICK_MS);
    if (cluster.random.next() < 0.7) cluster.propose();
    if (cluster.random.next() < 0.3) for (const member of cluster.members) member.askReadIndex();
    if (cluster.random.next() < 0.3) cluster.pick(cluster.members).chat();
    if (cluster.random.next() < 0.1) cluster.pick(cluster.members).saveSnapshot();
    if (cluster.random.next() < 0.25 * intensity) strike(cluster);
    if (seed % 3 !== 2 && cluster.random.next() < 0.1 * intensity) loseDisk(cluster);
  }
  cluster.heal();
  cluster.demandProgress();
  return cluster;
}

/** Strikes just when a member has entered a phase, since the phases between two leaders are short. */
function aim(cluster: SimulatedCluster, intensity: number): void {
  const { network, random, members, time, world } = cluster;
  world.phaseChanged = (member, status) => {
    if (status.phase === 'election' || random.next() > 0.25 * intensity) return;
    const fault = cluster.pick([
      () => member.crash(),
      () => isolate(cluster, member.id),
      () => network.reset(member.id, cluster.pick(members).id),
      () => member.pause(random.next() * 8 * TICK_MS),
      () => network.block(member.id, cluster.pick(members).id),
    ]);
    time.after(random.next() * 30, () => {
      if (world.isFaulty) fault();
    });
  };
}

function strike(cluster: SimulatedCluster): void {
  const { network, random, members } = cluster;
  const member = cluster.pick(members);
  const other = cluster.pick(members);
  const faults: (() => void)[] = [
    () => member.crash(),
    () => member.crash(),
    () => member.start(),
    () => member.start(),
    () => cluster.leader()?.crash(),
    () => network.reset(member.id, other.id),
    () => network.reset(member.id, other.id),
    () => network.block(member.id, other.id),
    () => isolate(cluster, member.id),
    () => split(cluster),
    () => network.heal(),
    () => network.heal(),
    () => (network.latencyMs = cluster.pick([1, 10, 60, 200])),
    () => (member.diskLatencyMs = cluster.pick([1, 5, 50, 800])),
    () => member.pause(random.next() * 12 * TICK_MS),
    () => cluster.leader()?.pause(random.next() * 12 * TICK_MS),
    () => cluster.leader()?.transferLeadership(),
    () => member.failStorage(),
    () => crashAll(cluster),
  ];
  cluster.pick(faults)();
}

/** A voter comes back with nothing, or without the end of its log, at once or later. */
function loseDisk(cluster: SimulatedCluster): void {
  const { random } = cluster;
  const member = cluster.pick(cluster.members);
  if (!member.isVoter || !cluster.canLoseDisk) return;
  member.loseDisk(random.next() < 0.7 ? 'wiped' : 'damaged');
  if (random.next() < 0.7) member.start();
}

function isolate({ members, network }: SimulatedCluster, id: number): void {
  for (const other of members) {
    network.block(id, other.id);
    network.block(other.id, id);
  }
}

function split(cluster: SimulatedCluster): void {
  const left = new Set(cluster.members.filter(() => cluster.random.next() < 0.5).map(({ id }) => id));
  for (const a of cluster.members) {
    for (const b of cluster.members) {
      if (left.has(a.id) === left.has(b.id)) continue;
      cluster.network.block(a.id, b.id);
      if (cluster.random.next() < 0.5) cluster.network.reset(a.id, b.id);
    }
  }
}

function crashAll({ members }: SimulatedCluster): void {
  for (const member of members) member.crash();
  for (const member of members) member.start();
}
