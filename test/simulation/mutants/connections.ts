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
  {
    name: 'large-requests-count-nothing',
    mistake: 'the bytes of a request are counted when its body has been read',
    standsFor: 'whoever sends large requests waits for itself',
    tests: ['core/server/clients/admission'],
    changes: [
      [
        'core/server/clients/admission.ts',
        `      bytes += packet.body.remaining;
      router.route(connection, packet);
      this.#left -= 1;`,
        `      router.route(connection, packet);
      bytes += packet.body.remaining;
      this.#left -= 1;`,
      ],
    ],
  },
  {
    name: 'claimed-identity-shares',
    mistake: 'a digest that anybody can claim names the share of a connection',
    standsFor: 'a party has one share, whatever it claims',
    tests: ['core/server/clients/authentication'],
    changes: [['core/server/clients/authentication.ts', '?? identities[0];', '?? identities.at(-1);']],
  },
  {
    name: 'share-group-kept',
    mistake: 'a connection that is gone stays in its share group',
    standsFor: 'nothing is kept of a client that is gone',
    tests: ['core/server/clients/kept'],
    changes: [
      [
        'core/server/clients/client-service.ts',
        `    this.#groups.leave(connection.group);
    this.#connections.delete(connection);`,
        '    this.#connections.delete(connection);',
      ],
    ],
  },
  {
    name: 'outage-slows-later-links',
    mistake: 'attempts that failed before a link was made count when it breaks',
    standsFor: 'a link that breaks is made anew at once',
    tests: ['core/server/peers/peer-links'],
    changes: [
      [
        'core/server/peers/peer-links.ts',
        `    this.#failures.delete(peer);
    this.#refusals.forget`,
        '    this.#refusals.forget',
      ],
    ],
  },
  {
    name: 'refused-member-keeps-its-place',
    mistake: 'a connection that was refused counts among those that have proved nothing',
    standsFor: 'members that are expected get a link',
    tests: ['core/server/peers/peer-links'],
    changes: [
      [
        'core/server/peers/peer-links.ts',
        `      refused: (problem) => {
        this.#strangers.delete(connection);
        if (this.#abort`,
        `      refused: (problem) => {
        if (this.#abort`,
      ],
    ],
  },
  {
    name: 'failed-backup-runs-for-ever',
    mistake: 'a backup that failed counts as running',
    standsFor: 'a member gives a backup whatever became of earlier ones',
    tests: ['core/server/process/backups/backup-service'],
    changes: [
      [
        'core/server/process/backups/backup-service.ts',
        `      await this.#send(connection, flow, member);
    } catch (error) {
      this.#parts.logger.error('Backup failed', { remote: connection.remoteAddress, error });
      connection.close({ code: CloseCode.internalError, text: 'the backup failed' });
    } finally {
      this.#running -= 1;
    }`,
        `      await this.#send(connection, flow, member);
      this.#running -= 1;
    } catch (error) {
      this.#parts.logger.error('Backup failed', { remote: connection.remoteAddress, error });
      connection.close({ code: CloseCode.internalError, text: 'the backup failed' });
    }`,
      ],
    ],
  },
  {
    name: 'message-bytes-add-up',
    mistake: 'the bytes of a message that has arrived count for the messages behind it',
    standsFor: 'a link has no limit of bytes',
    tests: ['core/server/peers/frame'],
    changes: [
      [
        'core/server/peers/frame.ts',
        `    this.#parts = [];
    this.#bytes = 0;
    return [message];`,
        `    this.#parts = [];
    return [message];`,
      ],
    ],
  },
];
