import type { Actor } from '../actor.js';
import type { WorkloadName } from '../plan.js';
import { ACL_PATHS, acls } from './acls.js';
import { BURST_PATHS, bursts } from './bursts.js';
import { caches, counter, COUNTER_PATHS, latches, locks, queue } from './recipes.js';
import { FLOOD_PATHS, replies, syncs } from './floods.js';
import { large, LARGE_PATHS } from './large.js';
import { readers } from './readers.js';
import { shards } from './shards.js';
import { REGISTER_PATHS, registers } from './registers.js';
import { subtrees } from './subtrees.js';
import { watching, WATCHED_PATHS } from './watching.js';
import { ACCOUNT_PATHS, ephemerals, pipelines, sequences, transfers, ZNODE_PATHS } from './znodes.js';

/** What clients do; each goes on until the actor's world is over. */
export const workloads: Readonly<Record<WorkloadName, (actor: Actor) => Promise<void>>> = {
  registers,
  sequences,
  ephemerals,
  watching,
  transfers,
  pipelines,
  locks,
  latches,
  shards,
  queue,
  counter,
  caches,
  large,
  subtrees,
  bursts,
  syncs,
  replies,
  acls,
  readers,
};

/** What an account holds at the beginning. */
export const OPENING_BALANCE = 100;

/** Makes the znodes that the workloads stand on. */
export async function setUp(actor: Actor): Promise<void> {
  // Its session may be lost in the midst; a create that took effect all the same is refused the next time.
  const create = async (path: string, data: string): Promise<void> => {
    while (actor.isAlive) {
      const { type } = await actor.attempt(`create ${path}`, () => actor.client.create(path, data));
      if (type === 'done' || type === 'refused') return;
    }
  };
  const empty = [
    REGISTER_PATHS,
    ZNODE_PATHS,
    WATCHED_PATHS,
    LARGE_PATHS,
    BURST_PATHS,
    FLOOD_PATHS,
    ACL_PATHS,
  ];
  for (const path of empty.flat()) await create(path, '');
  for (const path of ACCOUNT_PATHS) await create(path, String(OPENING_BALANCE));
  for (const path of COUNTER_PATHS) await create(path, '0');
}
