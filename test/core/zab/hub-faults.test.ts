/**
 * Links that persist while faults strike: one voter has most of them, so that it often leads though it is behind, while processes
 * crash and pause and disks are lost. `ZAB_SEEDS=400` plays that many seeds.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SimulatedCluster } from './simulated-cluster.js';
import { SimulationFailure } from './ghost.js';

const SEEDS = Number(process.env['ZAB_SEEDS'] ?? 5);
const GRAPHS_PER_SEED = 12;
const STEPS_PER_GRAPH = 8;

function formed(seed: number): SimulatedCluster {
  const cluster = new SimulatedCluster(seed, { voters: 5, observers: 0 });
  cluster.world.isFaulty = false;
  cluster.startAll();
  cluster.runUntil(() => cluster.isSettled(), 'an ensemble is formed');
  cluster.world.isFaulty = true;
  return cluster;
}

/** One voter keeps most of its links, the others hardly any. */
function leaveAHub({ network, random, members }: SimulatedCluster, hub: number): void {
  network.heal();
  for (const { id: a } of members) {
    for (const { id: b } of members) {
      const kept = a === hub || b === hub ? 0.75 : 0.15;
      if (a >= b || random.next() < kept) continue;
      network.block(a, b);
      network.block(b, a);
      network.reset(a, b);
    }
  }
}

function strike(cluster: SimulatedCluster): void {
  const { random, members } = cluster;
  const victim = cluster.pick(members);
  const chance = random.next();
  if (chance < 0.12) victim.crash();
  else if (chance < 0.2 && cluster.canLoseDisk) victim.loseDisk(random.next() < 0.5 ? 'wiped' : 'damaged');
  else if (chance < 0.25) victim.pause(random.next() * 800);
  if (random.next() < 0.5) cluster.startAll();
}

function play(seed: number): SimulatedCluster {
  const cluster = formed(seed);
  for (let graph = 0; graph < GRAPHS_PER_SEED; graph++) {
    leaveAHub(cluster, cluster.pick(cluster.members).id);
    for (let step = 0; step < STEPS_PER_GRAPH; step++) {
      cluster.propose();
      cluster.run(60 + cluster.random.next() * 150);
      strike(cluster);
    }
  }
  cluster.heal();
  cluster.demandProgress();
  return cluster;
}

test('a hub that leads with the history of others loses nothing while processes and disks are lost', () => {
  let epochs = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    try {
      epochs += play(seed).ghost.epochsEstablished;
    } catch (error) {
      throw new SimulationFailure(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(epochs > SEEDS * 5, `too few leaders changed: ${epochs}`);
});

test.run();
