import type { Mutant } from './mutant.js';

/** Mistakes in the order of reads on a connection, and in reads that take several turns. */
export const READS: readonly Mutant[] = [
  {
    name: 'event-passes-a-long-list',
    mistake: 'an event is sent while a list is read that shows the state before the change',
    standsFor: 'no client gets an older state behind the event of a change',
    tests: ['core/server/clients/long-lists'],
    changes: [
      [
        'core/server/clients/local-requests.ts',
        'slot.holdsEvents = read.isOfItsBeginning;',
        'slot.holdsEvents = sets !== null;',
      ],
    ],
  },
  {
    name: 'long-multi-read-goes-on-behind-an-event',
    mistake: 'a multiRead keeps what it read before a change whose event has been sent',
    standsFor: 'no client gets an older state behind the event of a change',
    tests: ['core/server/clients/long-lists'],
    changes: [['core/server/clients/connection/client-connection.ts', 'slot.isOutdated = true;', ';']],
  },
  {
    name: 'long-multi-read-tells-the-zxid-of-its-beginning',
    mistake: 'the zxid of a multiRead is the one of its first part',
    standsFor: 'a client that reconnects is not led back behind what it was shown',
    tests: ['core/server/clients/long-lists'],
    changes: [
      ['core/server/clients/local-requests.ts', 'if (!slot.holdsEvents) slot.zxid = machine.lastZxid;', ''],
    ],
  },
  {
    name: 'changed-child-listed-twice',
    mistake: 'a long list forgets that it has given out a child early once it has passed it',
    standsFor: 'a list names each child once',
    tests: ['core/data/long-read'],
    changes: [
      [
        'core/data/open-lists.ts',
        'if (this.#early.has(node)) return undefined;\n    if (node.czxid',
        'if (this.#early.delete(node)) return undefined;\n    if (node.czxid',
      ],
    ],
  },
  {
    name: 'next-child-listed-twice',
    mistake: 'a long list does not remember that it has given out the child that was next',
    standsFor: 'a list names each child once',
    tests: ['core/data/long-read'],
    changes: [
      [
        'core/data/open-lists.ts',
        'this.#early.add(node);\n    if (node === this.#next) this.#next = node.nextSibling;\n  }',
        'if (node === this.#next) this.#next = node.nextSibling;\n    else this.#early.add(node);\n  }',
      ],
    ],
  },
  {
    name: 'page-shows-children-of-later',
    mistake: 'a page has children that were created while it was read',
    standsFor: 'a page is the one of its beginning',
    tests: ['core/data/long-read'],
    changes: [['core/data/open-lists.ts', 'this.#next.czxid <= this.#until ?', 'this.#until >= 0n ?']],
  },
  {
    name: 'read-overtakes-write',
    mistake: 'a read is answered before the writes that its client sent before it',
    standsFor: 'FIFO client order',
    changes: [
      [
        'core/server/clients/connection/client-connection.ts',
        'this.#owed.push(slot);',
        'if (slot.isLocal && this.#host.answer(slot)) return this.#outbound.reply(slot);\n        this.#owed.push(slot);',
      ],
    ],
  },
  {
    name: 'read-before-own-write',
    mistake: 'a read is looked up when it comes, though its answer leaves in its turn',
    standsFor: 'a client reads its own writes',
    changes: [
      [
        'core/server/clients/connection/client-connection.ts',
        'this.#owed.push(slot);',
        'if (slot.isLocal) this.#host.answer(slot);\n        this.#owed.push(slot);',
      ],
    ],
  },
  {
    name: 'read-waits-for-room',
    mistake: 'a read waits for room in the output though a write of its session stands behind it',
    standsFor: 'a read never sees what its session wrote behind it',
    tests: ['core/server/clients/read-order'],
    changes: [
      [
        'core/server/clients/connection/client-connection.ts',
        'this.#outbound.isFull && owed.mayWaitForRoom',
        'this.#outbound.isFull',
      ],
    ],
  },
  {
    name: 'write-taken-behind-sync',
    mistake: 'a write is taken while a sync before it waits for the leader',
    standsFor: 'a read never sees what its session wrote behind it',
    shownBy: { workloads: ['bursts'] },
    changes: [
      [
        'core/server/clients/connection/owed-replies.ts',
        'return this.#cost < COST_LIMIT &&',
        'return this.#cost >= 0 &&',
      ],
    ],
  },
  {
    name: 'identity-at-evaluation',
    mistake: 'a read is judged with the identities that its connection has when it is evaluated',
    standsFor: 'a request has the identities that were proved before it',
    shownBy: { workloads: ['bursts'] },
    changes: [
      [
        'core/server/clients/local-requests.ts',
        'machine.readToWrite(request, slot, this.#mostBytes)',
        'machine.readToWrite(request, { sessionId: slot.sessionId, identities: slot.connection.session.identities }, this.#mostBytes)',
      ],
    ],
  },
  {
    name: 'refused-list-takes-a-watch',
    mistake: 'a long list that is refused takes away the watch that was set before it',
    standsFor: 'no watch event is lost',
    tests: ['core/server/clients/long-lists'],
    changes: [
      [
        'core/server/clients/local-requests.ts',
        `    if (table.check(connection, path, WatcherType.children)) return () => undefined;
    table.addChild`,
        '    table.addChild',
      ],
    ],
  },
  {
    name: 'outdated-multi-read-without-an-end',
    mistake: 'a multiRead that events outdate is begun anew without an end',
    standsFor: 'a read is answered or refused',
    tests: ['core/server/clients/long-lists'],
    changes: [
      ['core/server/clients/local-requests.ts', 'const MOST_RESTARTS = 8;', 'const MOST_RESTARTS = 1e9;'],
    ],
  },
];
