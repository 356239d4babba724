import { ShardAssignment, type OwnedShard } from '../../../core/recipes/index.js';
import type { Actor } from '../actor.js';
import { check } from '../checkers/referee.js';

/** A number that three members cannot share evenly. */
const SHARDS = 4;

/** Shares a few shards with whoever does the same, and uses what they guard; leaves now and then, and comes back. */
export async function shards(actor: Actor): Promise<void> {
  const { plan } = actor.world;
  while (!actor.isOver) {
    const assignment = new ShardAssignment(actor.client, 'work', (owned) => tend(actor, assignment, owned), {
      shards: SHARDS,
      id: actor.name,
      // In every other run places are kept.
      rejoinMs: plan.seed % 2 === 0 ? 0 : 20 * plan.tickMs,
    });
    actor.shards = assignment.start();
    for (let thoughts = 4 + actor.random.next() * 40; thoughts > 0 && !actor.isOver; thoughts--)
      await actor.think();
    // Whoever is there at the end stays: every shard has to be owned then.
    if (actor.isOver) return;
    await actor.attempt(`leave ${assignment.path}`, () => assignment.close());
    actor.shards = null;
    await actor.think();
  }
}

/** Uses one shard until it is to be let go, and a while longer; some tasks end early, and some fail. */
async function tend(actor: Actor, assignment: ShardAssignment, owned: OwnedShard): Promise<void> {
  const { holds, referee, shards: ledger, plan } = actor.world;
  const { shard, fence, signal, lost } = owned;
  const thing = `${assignment.path}/owners/${shard}`;
  const hold = { path: thing, fence, signal: lost };
  let ended = (): void => undefined;
  referee.watch(() => {
    ended = ledger.begins(actor, owned);
    holds.acquired(actor.name, actor.client, hold);
  });
  const { signal: session } = actor.client.session;
  const use = async (): Promise<void> => {
    referee.watch(() => {
      holds.used(actor.name, thing, hold);
      check(!session.aborted, () => `${actor.name} still owns shard ${shard}, though its session is over`);
    });
    await actor.sleep(plan.tickMs * actor.random.next());
  };
  actor.world.note(actor.name, `owns shard ${shard}`);
  try {
    const stays = actor.chance(0.1) ? 5 : Infinity;
    for (let times = 0; times < stays && !signal.aborted; times++) await use();
    if (!signal.aborted && actor.chance(0.5)) throw new Error('a task that fails');
    // What is in hand is finished, as long as nobody else can have it.
    for (let rest = signal.aborted ? 3 * actor.random.next() : 0; rest > 0 && !lost.aborted; rest--)
      await use();
  } finally {
    actor.world.note(actor.name, `${lost.aborted ? 'lost' : 'ends'} shard ${shard}`);
    ended();
  }
}
