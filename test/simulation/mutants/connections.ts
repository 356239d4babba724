import type { Mutant } from './mutant.js';

/** Mistakes in what a member keeps of connections, links and sessions, and in the shares of its clients. */
export const CONNECTIONS: readonly Mutant[] = [
  {
    name: 'checks-without-progress-add-up',
    mistake: 'checks at which a client took in nothing are counted over the whole life of its connection',
    standsFor: 'a client that reads slowly is served',
    tests: ['core/server/clients/connection/connection-output'],
    changes: [
      [
        'core/server/clients/connection/connection-output.ts',
        'this.#stuckChecks = isStuck ? this.#stuckChecks + 1 : 0;',
        'if (isStuck) this.#stuckChecks += 1;',
      ],
    ],
  },
  {
    name: 'postponed-snapshot-stays-due',
    mistake: 'after a postponed snapshot the next one is due at once, for ever',
    standsFor: 'snapshots have a bounded cost',
    tests: ['core/server/state/snapshotter'],
    changes: [
      [
        'core/server/state/snapshotter.ts',
        `this.#draw(machine);
    this.#retryAt = null;`,
        'this.#draw(machine);',
      ],
    ],
  },
  {
    name: 'refused-bytes-stay-under-way',
    mistake: 'bytes of a request that the leader refused count as under way for ever',
    standsFor: 'a member takes writes however many were refused',
    tests: ['core/server/pipeline/learner-path'],
    changes: [
      [
        'core/server/pipeline/learner-path.ts',
        `more requests are refused than were made');
    this.#forwardedBytes -= forwarded.bytes;`,
        "more requests are refused than were made');",
      ],
    ],
  },
  {
    name: 'heard-once-reported-for-ever',
    mistake: 'a learner goes on to report a session that it heard once',
    standsFor: 'the session of a dead client expires',
    tests: ['core/server/pipeline/learner-path'],
    changes: [['core/server/pipeline/learner-path.ts', 'this.#touched.clear();', '']],
  },
  {
    name: 'used-link-needs-no-sign-of-life',
    mistake: 'a link over which something went says nothing when it is idle',
    standsFor: 'an idle link stays',
    tests: ['core/server/peers/peer-links'],
    changes: [
      [
        'core/server/peers/peer-link.ts',
        `if (!this.#hasSent) this.#connection.send(new Uint8Array(0));
    this.#hasSent = false;`,
        'if (!this.#hasSent) this.#connection.send(new Uint8Array(0));',
      ],
    ],
  },
  {
    name: 'answers-held-for-ever',
    mistake: 'a member that leaves its role while it holds answers back goes on to hold them',
    standsFor: 'a member that was paused serves again',
    tests: ['core/server/member/ensemble-pause'],
    changes: [
      [
        'core/server/clients/client-service.ts',
        `this.#isHeld = false;
    for (const connection of this.#connections) connection.abandon();`,
        'for (const connection of this.#connections) connection.abandon();',
      ],
    ],
  },
  {
    name: 'unread-bytes-stay-held',
    mistake: 'bytes of requests that nobody looked at count for ever when their connection ends',
    standsFor: 'a member reads its clients however others ended',
    tests: ['core/server/clients/left-over'],
    changes: [
      [
        'core/server/clients/connection/inbound.ts',
        `this.#packets.clear();
    this.hold(-this.#heldBytes);`,
        'this.#packets.clear();',
      ],
    ],
  },
  {
    name: 'watches-outlive-their-connection',
    mistake: 'the watches of a connection that ended stay in the table',
    standsFor: 'nothing is left over of a connection',
    tests: ['core/server/clients/left-over'],
    changes: [['core/server/clients/client-service.ts', 'this.watches.table.removeAll(connection);', '']],
  },
  {
    name: 'moves-of-closed-sessions-kept',
    mistake: 'how often a session moved is kept after its end',
    standsFor: 'nothing is left over of a session',
    tests: ['core/server/pipeline/leader-sessions'],
    changes: [['core/server/pipeline/leader-sessions.ts', 'this.#moves.delete(sessionId);', '']],
  },
  {
    name: 'snapshot-of-a-lost-learner-frozen',
    mistake: 'a snapshot whose learner is gone stays frozen',
    standsFor: 'nothing is left over of a learner',
    tests: ['core/server/state/snapshot-sender'],
    changes: [['core/server/state/snapshot-sender.ts', 'this.#open.get(request)?.snapshot.close();', '']],
  },
  {
    name: 'half-closed-connection-stays',
    mistake: 'a connection whose client closed its direction stays when its last request is answered',
    standsFor: 'nothing is left over of a connection',
    tests: ['plugins/zookeeper/half-closed'],
    changes: [
      [
        'core/server/clients/connection/client-connection.ts',
        `    else this.#endIfDone();
`,
        '',
      ],
    ],
  },
  {
    name: 'flood-served-as-quiet',
    mistake: 'a connection with one request waits behind those with thousands',
    standsFor: 'who floods a member waits, and nobody else',
    tests: ['core/server/clients/admission'],
    changes: [
      [
        'core/server/clients/admission.ts',
        'connection.outstanding > REQUESTS_PER_VISIT',
        'connection.outstanding > 0',
      ],
    ],
  },
  {
    name: 'full-path-stops-reads',
    mistake: 'reads wait while no write is admitted',
    standsFor: 'reads pass a full write path',
    tests: ['core/server/clients/admission'],
    changes: [
      [
        'core/server/clients/admission.ts',
        'connection.isWriteNext && pipeline.isFull',
        'connection.hasPackets && pipeline.isFull',
      ],
    ],
  },
  {
    name: 'shares-of-writes-ignored',
    mistake: 'a connection has as many writes under way as it likes while others write',
    standsFor: 'who floods a member waits, and nobody else',
    tests: ['core/server/clients/connection/owed-replies'],
    changes: [
      [
        'core/server/clients/connection/owed-replies.ts',
        ' && this.#shares.allows(this.#group, this.#writes, this.#writeBytes)',
        '',
      ],
    ],
  },
  {
    name: 'heartbeat-takes-bulk',
    mistake: 'a heartbeat that goes in parts takes the bulk message from its queue in its own place',
    standsFor: 'Quorate before 0.2',
    tests: ['core/server/peers/frame'],
    changes: [
      [
        'core/server/peers/peer-link.ts',
        'if (first.nextSmall === undefined) return this.#give(first.takePart());',
        'if (first.nextSmall === undefined) return this.#give((this.#bulk.isEmpty ? first : this.#bulk).takePart());',
      ],
    ],
  },
  {
    name: 'older-link-leaks',
    mistake: 'a link that is made anew forgets the older one and does not close it',
    standsFor: 'connections leak with every half-open line',
    tests: ['core/server/peers/peer-links'],
    changes: [['core/server/peers/peer-links.ts', 'old.terminate();', 'void old;']],
  },
];
