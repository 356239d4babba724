import type { Mutant } from './mutant.js';

/** Mistakes in the recipes: one call, one effect. */
export const RECIPES: readonly Mutant[] = [
  {
    name: 'trigger-repeated-blindly',
    mistake: 'a trigger in doubt is asked for again without a look for the run that it led to',
    standsFor: 'one trigger leads to one run',
    tests: ['core/recipes/schedule/run-ledger'],
    changes: [
      [
        'core/recipes/schedule/run-ledger.ts',
        "return runs.some((name) => RUN.exec(name)?.groups?.['trigger'] === trigger);",
        'return runs.length < 0;',
      ],
    ],
  },
  {
    name: 'trigger-forgotten-with-its-run',
    mistake: 'the run that shows that a trigger was taken is forgotten as soon as others have followed',
    standsFor: 'one trigger leads to one run',
    tests: ['core/recipes/schedule/run-ledger'],
    changes: [
      [
        'core/recipes/schedule/run-ledger.ts',
        'return stat !== null && now - stat.ctime < TRIGGER_KEPT_MS;',
        'return false;',
      ],
    ],
  },
  {
    name: 'attempt-counted-that-never-began',
    mistake: 'a job that is buried as it is claimed counts that claim as an attempt',
    standsFor: 'a dead letter counts the attempts that were begun',
    tests: ['core/recipes/queue/work-queue'],
    changes: [
      [
        'core/recipes/queue/claim.ts',
        'const attempts = isBegun ? header.attempts : header.attempts - 1;',
        'const { attempts } = header;',
      ],
    ],
  },
  {
    name: 'slot-delete-not-repeated',
    mistake: 'the delete of a slot of the fleet is sent once, whatever becomes of it',
    standsFor: 'no slot of the fleet is lost',
    tests: ['core/recipes/queue/fleet-limits'],
    changes: [
      [
        'core/recipes/queue/fleet-slots.ts',
        'const leaving = removeOwnNode(client, node)',
        'const leaving = client.delete(node.path)',
      ],
    ],
  },
  {
    name: 'contended-znode-told-by-session',
    mistake:
      'a znode that is found after a create in doubt is taken for the own one if its session is the own one',
    standsFor: 'two users of one session never hold the same thing',
    tests: ['core/recipes/queue/fleet-limits', 'core/recipes/locks/try-lock'],
    changes: [
      [
        'core/recipes/nodes/contended-node.ts',
        'const isOwn = stat.ephemeralOwner === session.id && tokenOf(data) === token;',
        'const isOwn = stat.ephemeralOwner === session.id && tokenOf(data) !== token.length.toString();',
      ],
    ],
  },
  {
    name: 'slot-kept-for-ever',
    mistake: 'a consumer keeps its slot of the fleet as long as it has work, whoever else waits',
    standsFor: 'consumers that share a slot of the fleet take turns',
    tests: ['core/recipes/queue/fleet-limits'],
    changes: [['core/recipes/queue/fleet-slots.ts', 'now - slot.since < TURN_MS ||', 'now >= slot.since ||']],
  },
  {
    name: 'slot-free-when-settled',
    mistake:
      'a slot of the fleet is had by the next job when the last one is settled, not when its handler has returned',
    standsFor: 'a limit of the fleet costs nothing beside the work',
    tests: ['core/recipes/queue/fleet-limits'],
    changes: [
      ['core/recipes/queue/queue-consumer.ts', '          leave();\n          free();', '          free();'],
    ],
  },
  {
    name: 'try-lock-fence-by-path',
    mistake: 'a fenced write of a try-lock checks that a znode is there, not that it is the own one',
    standsFor: 'whoever does not hold any more writes nothing',
    tests: ['core/recipes/locks/fenced-write'],
    changes: [
      [
        'core/recipes/locks/acquisition-counter.ts',
        "{ type: 'check', path: this.#counter, version: this.#version },",
        "{ type: 'check', path: this.#counter },",
      ],
    ],
  },
  {
    name: 'fence-lost-by-other-locks',
    mistake: 'a fenced write is refused as soon as another lock of the same counter was acquired',
    standsFor: 'a holder writes as long as it holds',
    tests: ['core/recipes/locks/fenced-write'],
    changes: [
      [
        'core/recipes/locks/acquisition-counter.ts',
        'if (wereRefused || this.#version === null) this.#version = await this.#look();',
        'if (wereRefused) this.#version = null;',
      ],
    ],
  },
  {
    name: 'ready-of-another-round',
    mistake:
      'a party passes a double barrier at any ready, also at that of a round that it does not belong to',
    standsFor: 'nobody passes a barrier of three with two there',
    tests: ['core/recipes/barriers/double-barrier'],
    changes: [
      [
        'core/recipes/barriers/double-barrier.ts',
        'const saysNothing = ready !== null && round === null && ready.stat.czxid !== leftOver;',
        'const saysNothing = ready !== null && ready.stat.czxid !== leftOver;',
      ],
    ],
  },
  {
    name: 'ready-removed-alone',
    mistake:
      'the last party of a round removes ready in a request of its own, which is repeated after a doubt',
    standsFor: 'one call, one effect',
    tests: ['core/recipes/barriers/double-barrier'],
    changes: [
      ['core/recipes/barriers/double-barrier.ts', "      { type: 'delete', path: this.#readyPath },\n", ''],
    ],
  },
  {
    name: 'close-waits-for-its-own-task',
    mistake: 'the close of a recipe that comes from within its own task waits for the end of that task',
    standsFor: 'nobody waits for itself',
    tests: ['core/recipes/leader/leader-selector', 'core/recipes/shards/shard-assignment'],
    changes: [
      [
        'core/recipes/waiting/own-task.ts',
        'if (one.owner === owner && !one.isOver) return true;',
        'if (one.owner === owner && one.isOver) return true;',
      ],
    ],
  },
  {
    name: 'open-repeated-blindly',
    mistake: 'an open of a barrier whose reply was lost is sent again, whichever barrier is closed by then',
    standsFor: 'one call, one effect',
    tests: ['core/recipes/barriers/barrier'],
    changes: [
      [
        'core/recipes/nodes/flag-node.ts',
        'before.flag?.czxid === now.flag?.czxid;',
        'before.flag !== null && now.flag !== null;',
      ],
    ],
  },
  {
    name: 'close-repeated-blindly',
    mistake:
      'a close of a barrier whose reply was lost is sent again, though another may have opened it meanwhile',
    standsFor: 'one call, one effect',
    tests: ['core/recipes/barriers/barrier'],
    changes: [['core/recipes/nodes/flag-node.ts', 'before.parent.pzxid === now.parent.pzxid;', 'true;']],
  },
  {
    name: 'set-repeated-blindly',
    mistake: 'a shared value that was set in doubt is set again, whatever was set meanwhile',
    standsFor: 'one call, one effect',
    tests: ['core/recipes/shared/shared-value'],
    changes: [
      [
        'core/recipes/shared/shared-value.ts',
        "throw new OutcomeUnknownError({ operation: 'set', path: this.path, cause });",
        'return null;',
      ],
    ],
  },
  {
    name: 'cancelled-job-taken-for-completed',
    mistake: 'a completion in doubt counts as done when the job is gone, whoever removed it',
    standsFor: 'a cancelled job is not completed',
    tests: ['core/recipes/queue/work-queue'],
    changes: [['core/recipes/queue/claim.ts', 'return !(await this.#wasCancelled());', 'return true;']],
  },
];
