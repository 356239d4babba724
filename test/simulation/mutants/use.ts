import type { Mutant } from './mutant.js';

/** Mistakes in the client and the recipes. */
export const USE: readonly Mutant[] = [
  {
    name: 'event-counts-as-seen-in-full',
    mistake:
      'a client that got one event of a transaction does not ask again for the others after a reconnection',
    standsFor: 'no watch event is lost',
    tests: ['core/client/watches-over-connections'],
    changes: [
      [
        'core/client/seen-zxid.ts',
        'if (zxid > this.#lastEventZxid) this.#lastEventZxid = zxid;',
        'this.replied(zxid);',
      ],
    ],
  },
  {
    name: 'event-not-counted-as-seen',
    mistake: 'a client that got an event goes on at a member that is behind the event',
    standsFor: 'reads never go back in time',
    tests: ['core/client/watches-over-connections'],
    changes: [
      ['core/client/seen-zxid.ts', 'if (zxid > this.#lastEventZxid) this.#lastEventZxid = zxid;', ''],
    ],
  },
  {
    name: 'living-session-forgets-what-it-saw',
    mistake: 'a client forgets what it has seen while its session may still live',
    standsFor: 'reads never go back in time',
    tests: ['core/client/lost-sessions'],
    changes: [
      [
        'core/client/session-machine.ts',
        'this.#session.isOver && this.#seen.refused(error)',
        'this.#seen.refused(error)',
      ],
    ],
  },
  {
    name: 'going-away-taken-for-not-taken',
    mistake: 'a write is sent again after any orderly close, though the server may have taken it',
    standsFor: 'a write takes effect once at most',
    tests: ['core/client/requests-over-connections'],
    changes: [
      [
        'core/client/server-link.ts',
        'this.#isNothingTaken = reason.code === CloseCode.notTaken;',
        'this.#isNothingTaken = reason.code === CloseCode.notTaken || reason.code === CloseCode.goingAway;',
      ],
    ],
  },
  {
    name: 'directory-opened-while-it-closes',
    mistake: 'an embedded directory is opened while the member of its last user is still closing it',
    standsFor: 'a data directory has one owner',
    tests: ['framework/engine'],
    changes: [['framework/engine.ts', 'await last.catch(() => undefined);', 'break;']],
  },
  {
    name: 'lost-session-resumed',
    mistake: 'a client goes on with a session that it has declared lost',
    standsFor: 'lost is final',
    changes: [
      ['core/client/session-machine.ts', 'const resumes = !this.#session.isOver;', 'const resumes = true;'],
    ],
  },
  {
    name: 'unknown-write-retried',
    mistake: 'a write whose connection broke is sent again, though it may have taken effect',
    standsFor: 'a write takes effect once at most',
    changes: [
      [
        'core/client/request-queue.ts',
        'return wasSent ? new OutcomeUnknownError({ operation, path, cause }) : null;',
        'return null;',
      ],
    ],
  },
  {
    name: 'unsure-create-not-looked-for',
    mistake: 'a create of a unique name whose answer was lost is sent again without looking for its znode',
    standsFor: 'ZOOKEEPER-1159: no place in the line is left behind',
    shownBy: { faults: ['clientLine', 'crash'], faultEveryMs: 200, workloads: ['locks', 'ephemerals'] },
    changes: [
      ['core/client/session-machine.ts', 'const creates = this.#queue.inDoubt();', 'const creates = [];'],
    ],
  },
  {
    name: 'watches-not-taken-along',
    mistake: 'a client that reconnects does not tell the new member of its watches',
    standsFor: 'no watch event is lost',
    shownBy: {
      mode: 'liveness',
      clients: 4,
      faults: ['clientLine', 'reset', 'crash'],
      faultEveryMs: 300,
      workloads: ['caches', 'registers'],
    },
    changes: [['core/client/session-machine.ts', 'this.#rearm(link);', '']],
  },
  {
    name: 'session-counted-from-answer',
    mistake: 'a client relies on its session from the answer on, not from the sending of what was answered',
    standsFor: 'the client gives a session up before the servers do',
    shownBy: {
      clients: 4,
      tickMs: 100,
      latencyMs: 1,
      jitterMs: 1,
      sessionMs: 4_000,
      thinkMs: 100,
      skew: 0,
      faults: ['slowDisk', 'clientLine', 'clientLine'],
      faultEveryMs: 200,
      strikeMs: 20_000,
      workloads: ['registers'],
    },
    changes: [
      [
        'core/client/session-timer.ts',
        'this.#provenAt = Math.max(this.#provenAt, sentAt);',
        'this.#provenAt = Math.max(this.#clock.now(), sentAt);',
      ],
    ],
  },
  {
    name: 'lock-by-name-order',
    mistake: 'the line of a lock is sorted by name, not by sequence number',
    standsFor: 'a lock is granted in the order of asking, to one at a time',
    shownBy: { clients: 4, faults: ['clientLine', 'slowDisk'], workloads: ['locks'] },
    changes: [
      [
        'core/recipes/contention/sequence.ts',
        'compareSequences(a.sequence, b.sequence)',
        '(a.name < b.name ? -1 : 1)',
      ],
    ],
  },
  {
    name: 'lock-without-second-look',
    mistake:
      'a lock is taken when the one before it in the line goes, though that one may have given up waiting',
    standsFor: 'the first in the line holds, nobody else',
    shownBy: { clients: 4, faults: ['clientLine', 'slowDisk'], workloads: ['locks'] },
    changes: [
      [
        'core/recipes/contention/contender.ts',
        'await orAborted(read.changed, ...signals).finally(() => read.cancel());',
        "{ await orAborted(read.changed, ...signals).finally(() => read.cancel()); return 'first'; }",
      ],
    ],
  },
  {
    name: 'hold-outlives-session',
    mistake: 'a hold does not end with its session',
    standsFor: 'a hold stands and falls with its ephemeral znode',
    shownBy: {
      clients: 4,
      sessionMs: 1_000,
      tickMs: 200,
      latencyMs: 1,
      jitterMs: 1,
      faults: ['clientLine', 'clientPause', 'crashAll'],
      faultEveryMs: 300,
      strikeMs: 15_000,
      workloads: ['locks', 'latches'],
    },
    changes: [
      [
        'core/recipes/contention/held-node.ts',
        "signal.addEventListener('abort', onSessionEnd, { once: true });",
        '',
      ],
    ],
  },
  {
    name: 'shard-given-back-too-early',
    mistake: 'a shard that is to move is given back at once, not when its task has ended',
    standsFor: 'a shard is handed over when its task has ended',
    shownBy: { clients: 4, workloads: ['shards'] },
    changes: [
      [
        'core/recipes/shards/shard-assignment.ts',
        "stop.addEventListener('abort', end, { once: true });",
        "stop.addEventListener('abort', () => { end(); void hold.release(); }, { once: true });",
      ],
    ],
  },
  {
    name: 'shard-kept-after-loss',
    mistake: 'the task of a shard is not told that the session is lost',
    standsFor: 'a shard is never owned twice',
    shownBy: { clients: 4, faults: ['clientLine', 'slowDisk'], workloads: ['shards'] },
    changes: [
      [
        'core/recipes/shards/shard-assignment.ts',
        "hold.signal.addEventListener('abort', end, { once: true });",
        '',
      ],
    ],
  },
  {
    name: 'shard-not-given-back',
    mistake: 'the shard of a task that has ended is not given back',
    standsFor: 'every shard is owned again when members come and go',
    shownBy: { mode: 'liveness', clients: 4, workloads: ['shards'] },
    changes: [['core/recipes/shards/shard-assignment.ts', 'await hold.release();', '']],
  },
  {
    name: 'division-written-once',
    mistake: 'who finds the division changed by somebody else, or fails to write it, does not look again',
    standsFor: 'every shard is owned again when members come and go',
    shownBy: { mode: 'liveness', clients: 4, faults: ['clientLine', 'crash'], workloads: ['shards'] },
    changes: [
      [
        'core/recipes/shards/kept-division.ts',
        'this.#isStale = true;\n        await pause',
        'return; await pause',
      ],
    ],
  },
  {
    name: 'listener-of-a-wait-stays',
    mistake: 'a wait with a time limit leaves its listener on the signal of its caller',
    standsFor: 'nothing is left over: listeners on signals',
    shownBy: { mode: 'liveness', workloads: ['locks'] },
    changes: [
      [
        'core/recipes/waiting/abort.ts',
        "timer?.cancel();\n      signal?.removeEventListener('abort', end);",
        'timer?.cancel();',
      ],
    ],
  },
  {
    name: 'listener-of-a-hold-stays',
    mistake: 'a hold that was released leaves its listener on the signal of its session',
    standsFor: 'nothing is left over: listeners on signals',
    shownBy: { mode: 'liveness', workloads: ['locks'] },
    changes: [
      [
        'core/recipes/contention/held-node.ts',
        "this.signal.addEventListener('abort', () => signal.removeEventListener('abort', onSessionEnd), {\n        once: true,\n      });",
        '',
      ],
    ],
  },
];
