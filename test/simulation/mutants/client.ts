import type { Mutant } from './mutant.js';

/** Mistakes in the client. */
export const CLIENT: readonly Mutant[] = [
  {
    name: 'untaken-behind-waiting',
    mistake: 'requests that a server has not taken are sent again behind those that waited for room',
    standsFor: "a session's requests take effect in their order",
    tests: ['core/client/requests-over-connections'],
    changes: [
      [
        'core/client/request-queue.ts',
        '[...sent, ...unsent, ...waiting]',
        '[...sent, ...waiting, ...unsent]',
      ],
    ],
  },
  {
    name: 'create-found-by-its-beginning',
    mistake: 'a create whose answer was lost is taken for another znode whose name begins alike',
    standsFor: 'a client owns what it believes to own',
    tests: ['core/client/unique-creates'],
    changes: [
      [
        'core/client/create-recovery.ts',
        'child.startsWith(unique) && isNumber(child.slice(unique.length))',
        'child.startsWith(unique)',
      ],
    ],
  },
  {
    name: 'ended-stream-kept',
    mistake: 'a registration without streams stays in the table',
    standsFor: 'nothing is left over of a stream',
    tests: ['core/client/left-over'],
    changes: [
      [
        'core/client/watch-streams.ts',
        `    table.delete(registration.path);
`,
        '',
      ],
    ],
  },
  {
    name: 'settled-request-listens',
    mistake: 'a request that is settled goes on to listen to the signal of its caller',
    standsFor: 'nothing is left over of a request',
    tests: ['core/client/left-over'],
    changes: [
      [
        'core/client/pending-request.ts',
        `    this.#stopWaitingForAbort?.();
`,
        '',
      ],
    ],
  },
  {
    name: 'claim-of-a-failed-read-kept',
    mistake: 'a read that failed goes on to claim its watch',
    standsFor: 'nothing is left over of a request',
    tests: ['core/client/left-over'],
    changes: [
      [
        'core/client/pending-request.ts',
        `    this.spec.claim?.release();
`,
        '',
      ],
    ],
  },
  {
    name: 'refused-identity-kept',
    mistake: 'an identity that was refused is claimed again on each connection',
    standsFor: 'what was refused is forgotten',
    tests: ['core/client/left-over', 'core/client/auth'],
    changes: [['core/client/auth-list.ts', 'if (position !== -1) this.#identities.splice(position, 1);', '']],
  },
  {
    name: 'xid-without-end',
    mistake: 'requests are numbered beyond what their field holds',
    standsFor: 'constants that no run reaches',
    tests: ['core/client/next-xid'],
    changes: [['core/client/next-xid.ts', 'last === MAX_XID ? 1 : last + 1', 'last + 1']],
  },
  {
    name: 'links-never-last',
    mistake: 'a connection that lasted counts as one that broke soon',
    standsFor: 'a client reconnects at once',
    tests: ['core/client/reconnecting'],
    changes: [
      [
        'core/client/connection-loop.ts',
        'clock.now() - acceptedAt < STEADY_LINK_MS ? this.#shortLinks + 1 : 0',
        'this.#shortLinks + 1',
      ],
    ],
  },
  {
    name: 'unsent-before-resent',
    mistake: 'what had not left when the connection broke goes before what is sent again',
    standsFor: 'a client sees its requests carried out in their order',
    tests: ['core/client/requests-over-connections'],
    changes: [
      [
        'core/client/request-queue.ts',
        '    for (const request of [...sent, ...unsent, ...waiting]) {',
        '    for (const request of [...unsent, ...sent, ...waiting]) {',
      ],
    ],
  },
];
