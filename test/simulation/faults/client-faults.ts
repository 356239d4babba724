import { between, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** What happens to clients, and to their sessions. */
export const clientFaults = {
  clientDeath({ world, faults }) {
    const actor = pick(world.random, world.actors);
    if (!actor.isAlive) return;
    world.note(actor.name, 'dies');
    actor.process.kill();
    faults.later(between(world.random, 0, 10) * world.plan.tickMs, () => faults.replace());
  },

  /** In order, but in the midst of what it does: nothing of it may be left. */
  clientLeave({ world, faults }) {
    const actor = pick(world.random, world.actors);
    if (!actor.isAlive) return;
    const { client } = actor;
    world.note(actor.name, 'leaves');
    for (let left = Math.floor(world.random.next() * 5); left > 0; left--) {
      const path = `/e/${actor.value()}`;
      void actor.attempt(`create ${path}`, () => client.create(path, null, { mode: 'ephemeral' }));
    }
    void actor.attempt('close', () => client.close());
    faults.later(between(world.random, 0, 10) * world.plan.tickMs, () => faults.replace());
  },

  clientPause({ world, faults }) {
    const actor = pick(world.random, world.actors);
    world.note(actor.name, 'is paused');
    actor.process.pause();
    faults.later(between(world.random, 0.2, 1.5) * world.plan.sessionMs, () => actor.process.resume());
  },

  /** Somebody else comes with the session of a client. */
  takeOver({ world }) {
    const { credentials } = pick(world.random, world.actors);
    if (credentials === null) return;
    world.rival().takeOver(pick(world.random, world.cluster.members), credentials);
  },

  /** Somebody guesses. */
  wrongPassword({ world }) {
    const { credentials } = pick(world.random, world.actors);
    if (credentials === null) return;
    world.rival().guess(pick(world.random, world.cluster.members), credentials);
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;
