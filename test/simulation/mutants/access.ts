import type { Mutant } from './mutant.js';

/** Mistakes in who is let in, and what it may do. */
export const ACCESS: readonly Mutant[] = [
  {
    name: 'certificate-of-any-host',
    mistake: 'a certificate of the authority makes a member, whatever host it is for',
    standsFor: 'nobody but a member joins an ensemble',
    tests: ['core/server/process/tls-serve'],
    changes: [
      [
        'core/server/process/credentials.ts',
        'return isFor ? null : `the certificate is not for ${host}, the host of member ${id}`;',
        'return isFor ? null : null;',
      ],
    ],
  },
  {
    name: 'bad-certificate-accepted',
    mistake: 'a certificate counts although no authority of the member has signed it',
    standsFor: 'an identity is proved',
    tests: ['core/transport/websocket-tls'],
    changes: [
      [
        'core/transport/tls-gate.ts',
        'if (socket.authorized) return { certificate, problem: null };',
        'if (socket.encrypted) return { certificate, problem: null };',
      ],
    ],
  },
  {
    name: 'anonymous-pings-answered',
    mistake: 'a client without an identity keeps its session alive',
    standsFor: 'where an identity is required, nobody is served without',
    tests: ['plugins/zookeeper/require-auth'],
    changes: [
      [
        'core/server/clients/connection/client-connection.ts',
        "return this.#state === 'established' && !this.session.mustAuthenticate;",
        "return this.#state === 'established';",
      ],
    ],
  },
  {
    name: 'unlisted-digest-claimed',
    mistake: 'where an identity is required, anybody may still claim any digest',
    standsFor: 'an identity is proved',
    tests: ['plugins/zookeeper/require-auth'],
    changes: [
      [
        'core/server/clients/authentication.ts',
        'return isKnown || !this.isRequired ? [identity] : null;',
        'return isKnown || this.isRequired ? [identity] : null;',
      ],
    ],
  },
  {
    name: 'digest-accepted-without-a-list',
    mistake: 'any digest is accepted where no list of users was given',
    standsFor: 'an identity is proved',
    tests: ['core/server/clients/authentication'],
    changes: [
      [
        'core/server/clients/authentication.ts',
        'return this.#accounts.digests?.has(id) === true;',
        'return this.#accounts.digests?.has(id) !== false;',
      ],
    ],
  },
  {
    name: 'answer-to-another-challenge',
    mistake: 'an answer of SASL that was heard on another connection is accepted',
    standsFor: 'an identity is proved',
    tests: ['plugins/zookeeper/require-auth'],
    changes: [['core/server/clients/sasl-digest-md5.ts', "given.get('nonce') === this.#nonce &&", '']],
  },
  {
    name: 'quotas-for-everybody',
    mistake: 'anybody may change quotas although authentication is required',
    standsFor: 'quotas bind those for whom they are made',
    tests: ['plugins/zookeeper/require-auth'],
    changes: [
      [
        'core/data/prepare/preparation.ts',
        "return identities.some(({ scheme }) => scheme === 'super') ? null : refuse(ErrorCode.noAuth);",
        'return identities.length > 0 ? null : refuse(ErrorCode.noAuth);',
      ],
    ],
  },
  {
    name: 'open-parents',
    mistake: 'missing parents are created open to everybody, whatever the default ACL is',
    standsFor: 'what an application creates is closed to others',
    tests: ['framework/default-acl'],
    changes: [
      [
        'core/client/session-client.ts',
        'const parents = { path: body.path, acl: this.#scope.acl };',
        'const parents = { path: body.path, acl: OPEN_ACL };',
      ],
    ],
  },
  {
    name: 'authorities-not-reloaded',
    mistake: 'a list of authorities that is replaced alone is not taken up',
    standsFor: 'certificates are renewed while a member runs',
    tests: ['core/server/process/tls-files'],
    changes: [
      [
        'core/server/process/tls-files.ts',
        `      const { cert, key, ca } = this.#material;
      if (material.cert === cert && material.key === key && material.ca === ca) return;`,
        `      const { cert, key } = this.#material;
      if (material.cert === cert && material.key === key) return;`,
      ],
    ],
  },
  {
    name: 'quota-deleted-by-anybody',
    mistake: 'anybody may delete a quota although authentication is required',
    standsFor: 'quotas bind those for whom they are made',
    tests: ['core/data/prepare/protected-quotas'],
    changes: [
      [
        'core/data/prepare/update.ts',
        '  const forbidden = refuseForbidden(parent, Permission.delete, preparation) ?? refuseQuota(path, preparation);',
        '  const forbidden = refuseForbidden(parent, Permission.delete, preparation);',
      ],
    ],
  },
];
