import type { Mutant } from './mutant.js';

/** Mistakes in how a member serves its clients, and looks after their sessions. */
export const SERVICE: readonly Mutant[] = [
  {
    name: 'identities-go-with-the-client',
    mistake: 'of a client that is gone only writes are kept, and not the proofs of identity between them',
    standsFor: 'each write is judged with the identities that were proved before it',
    tests: ['core/server/clients/read-order'],
    changes: [
      [
        'core/server/clients/connection/inbound.ts',
        'return op === OpCode.auth || op === OpCode.sasl ||',
        'return',
      ],
    ],
  },
  {
    name: 'id-not-checked',
    mistake: 'two members get a link whatever ensembles their data are of',
    standsFor: 'a directory of another ensemble is refused on both sides',
    tests: ['core/server/peers/ensemble-ids', 'core/server/member/ensemble-id'],
    changes: [
      [
        'core/server/peers/data-ids.ts',
        "one !== '' && other !== '' && one !== other",
        'one.length < 0 && one !== other',
      ],
    ],
  },
  {
    name: 'id-of-marker-not-applied',
    mistake: 'a member applies no transaction that the marker of an epoch has',
    standsFor: 'all members of a new ensemble have one id',
    tests: ['core/server/member/ensemble-id'],
    changes: [
      ['core/server/pipeline/pipeline.ts', 'else if (entry.payload.length === 0)', 'else if (isMarker)'],
    ],
  },
  {
    name: 'id-not-bound-to-session',
    mistake: 'the password of a session follows from its id and the secret alone',
    standsFor: 'an ensemble that was founded anew takes no session of its first life',
    tests: ['core/server/clients/session'],
    changes: [
      [
        'core/server/clients/session-passwords.ts',
        'Buffer.concat([message, this.#bytesOf(identity)])',
        'Buffer.concat([message, this.#bytesOf(identity).subarray(16)])',
      ],
    ],
  },
  {
    name: 'messages-in-the-newest-version',
    mistake: 'a message that goes to several members is encoded once, in the version of the first',
    standsFor: 'members run mixed versions',
    tests: ['core/server/peers/peer-links'],
    changes: [
      [
        'core/server/peers/peer-links.ts',
        'const known = this.#encoded.get(version) ?? new Map<PeerMessage, Uint8Array>();',
        'const known = this.#encoded.values().next().value ?? new Map<PeerMessage, Uint8Array>();',
      ],
    ],
  },
  {
    name: 'chosen-version-not-proved',
    mistake: 'the proofs of two members leave out the version that was chosen',
    standsFor: 'nobody makes members speak an older version',
    tests: ['core/server/peers/peer-versions'],
    changes: [
      [
        'core/server/peers/peer-handshake.ts',
        'writer.writeInt(transcript.spoken.newest);\n  writer.writeInt(transcript.version);',
        'writer.writeInt(0);',
      ],
    ],
  },
  {
    name: 'expired-without-report',
    mistake: 'the leader expires a session of another member without waiting for whom that member has heard',
    standsFor: 'a session lives for its timeout from the last answer',
    shownBy: {
      voters: 3,
      tickMs: 500,
      latencyMs: 1,
      jitterMs: 1,
      sessionMs: 1_000,
      faults: ['slowLine'],
      faultEveryMs: 500,
      strikeMs: 20_000,
    },
    changes: [
      [
        'core/server/pipeline/leader-sessions.ts',
        '(this.#reported.get(owner) ?? -Infinity) >= expiresAt',
        'true',
      ],
    ],
  },
  {
    name: 'expired-by-followers-clock',
    mistake: 'a follower reports up to its own time, not up to the leader’s',
    standsFor: 'sessions expire by the leader’s clock alone',
    shownBy: {
      voters: 3,
      tickMs: 500,
      latencyMs: 1,
      jitterMs: 1,
      sessionMs: 1_000,
      faults: ['slowLine'],
      faultEveryMs: 500,
      strikeMs: 20_000,
    },
    changes: [
      [
        'core/server/pipeline/pipeline.ts',
        'this.#role.path.pinged(heartbeat.stamp,',
        'this.#role.path.pinged(this.#parts.clock.now(),',
      ],
    ],
  },
  {
    name: 'heard-is-not-reported',
    mistake: 'a follower forgets whom it has heard before it reports them',
    standsFor: 'a session lives for its timeout from the last answer',
    changes: [['core/server/pipeline/learner-path.ts', 'sessionIds: [...this.#touched]', 'sessionIds: []']],
  },
  {
    name: 'no-fresh-timeout',
    mistake: 'a new leader grants the sessions that it finds no fresh timeout',
    standsFor: 'ZooKeeper: a new leader starts every timeout anew',
    changes: [
      [
        'core/server/pipeline/leader-sessions.ts',
        'this.#tracker.add(id, timeoutMs, now + this.#options.graceMs, null)',
        'this.#tracker.add(id, timeoutMs, now - timeoutMs, null)',
      ],
    ],
  },
  {
    name: 'no-grace-for-lost-learner',
    mistake:
      'when a follower is lost, its sessions get no fresh timeout, though it has not reported whom it heard',
    standsFor: 'a session lives for its timeout from the last answer',
    shownBy: {
      voters: 3,
      tickMs: 500,
      latencyMs: 1,
      jitterMs: 1,
      sessionMs: 1_000,
      faults: ['oneWay', 'partition', 'pause'],
      faultEveryMs: 1_000,
      strikeMs: 20_000,
    },
    changes: [
      [
        'core/server/pipeline/leader-sessions.ts',
        'this.#tracker.touch(sessionId, now + this.#options.graceMs);',
        '',
      ],
    ],
  },
  {
    name: 'moved-session-keeps-old-owner',
    mistake: 'requests of a session are taken from the member that it has left',
    standsFor: 'ZOOKEEPER-710',
    shownBy: {
      voters: 3,
      tickMs: 200,
      jitterMs: 5,
      faults: ['takeOver', 'clientLine', 'slowLine'],
      faultEveryMs: 200,
      strikeMs: 15_000,
      thinkMs: 60,
      workloads: ['pipelines'],
    },
    changes: [
      [
        'core/server/pipeline/learner-requests.ts',
        'tracker.movesOf(sessionId) !== moves',
        'tracker.movesOf(sessionId) < moves',
      ],
      [
        'core/server/pipeline/leader-sessions.ts',
        'return this.#tracker.ownerOf(sessionId) === member;',
        'return this.#tracker.ownerOf(sessionId) !== undefined || member < 0;',
      ],
    ],
  },
  {
    name: 'last-zxid-seen-unchecked',
    mistake: 'a client may go on at a member that is behind what it has seen',
    standsFor: 'single system image',
    tests: ['core/server/clients/handshake'],
    changes: [['core/server/clients/handshake.ts', 'request.lastZxidSeen > state.machine.lastZxid', 'false']],
  },
  {
    name: 'reader-taken-back-in-time',
    mistake: 'a member without a leader lets in a client that has seen more than the member holds',
    standsFor: 'a client that may read only never sees less than it has seen before',
    shownBy: {
      mode: 'safety',
      voters: 3,
      workloads: ['readers', 'registers', 'counter'],
      faults: ['partition', 'crash'],
      faultEveryMs: 600,
      strikeMs: 15_000,
    },
    changes: [
      [
        'core/server/clients/handshake.ts',
        'if (request.lastZxidSeen > state.machine.lastZxid) {',
        'if (!pipeline.isReadOnly && request.lastZxidSeen > state.machine.lastZxid) {',
      ],
    ],
  },
  {
    name: 'watch-after-reply',
    mistake: 'whoever changes a watched znode is answered before it is told of the change',
    standsFor: 'a watch is told before the data can be seen',
    changes: [
      [
        'core/server/clients/client-service.ts',
        `this.watches.fire(applied.zxid, applied.changes);
    if (token instanceof SessionRequest) this.#sessionCreated(applied, token);
    else if (token !== null) this.#complete(applied, token);`,
        `if (token instanceof SessionRequest) this.#sessionCreated(applied, token);
    else if (token !== null) this.#complete(applied, token);
    this.watches.fire(applied.zxid, applied.changes);`,
      ],
    ],
  },
  {
    name: 'watch-after-data',
    mistake: 'watch events leave a turn late, so that another read shows the change first',
    standsFor: 'a watch is told before the data can be seen',
    changes: [
      [
        'core/server/clients/watch-service.ts',
        'connection.notify(this.#zxid, this.#packet);\n  };',
        'const zxid = this.#zxid, packet = this.#packet; queueMicrotask(() => connection.notify(zxid, packet));\n  };',
      ],
    ],
  },
  {
    name: 'watch-lost-on-multi',
    mistake: 'of a multi, only the first change is told to those who watch',
    standsFor: 'no watch event is lost',
    shownBy: { workloads: ['watching'] },
    changes: [
      [
        'core/server/clients/watch-service.ts',
        'for (const change of changes)',
        'for (const change of changes.slice(0, 1))',
      ],
    ],
  },
  {
    name: 'watch-lost-on-reconnection',
    mistake: 'what changed while the client was away is not told when its watches are taken up again',
    standsFor: 'no watch event is lost',
    shownBy: {
      clients: 4,
      faults: ['clientLine', 'crash', 'reset'],
      faultEveryMs: 300,
      workloads: ['watching'],
    },
    changes: [
      [
        'core/data/watch-table.ts',
        'return changedAt > relativeZxid ? { type: changeType, path } : null;',
        'return null;',
      ],
    ],
  },
  {
    name: 'refusal-before-apply',
    mistake: 'a refused request is answered when it is prepared, not when it is applied',
    standsFor: 'no reply before its transaction, and all before it, is applied',
    changes: [
      [
        'core/server/pipeline/leader-path.ts',
        'this.#proposals.push({ zxid, txn, bytes: payload.length, token });',
        `const isEarly = txn.outcome.type === 'error' && token?.complete !== undefined;
        if (isEarly) {
            token.complete(txn.outcome.error, null, this.#parts.machine.lastZxid);
            token.connection.completed();
        }
        this.#proposals.push({ zxid, txn, bytes: payload.length, token: isEarly ? null : token });`,
      ],
    ],
  },
  {
    name: 'forwarded-again',
    mistake: 'what was forwarded to a leader and not answered is sent to the next one',
    standsFor: 'a request has an unknown outcome once its leader is gone, and takes effect once at most',
    changes: [
      [
        'core/server/pipeline/learner-path.ts',
        'export class LearnerPath<Token> implements WritePath<Token> {',
        'const earlier = new WeakMap();\nexport class LearnerPath<Token> implements WritePath<Token> {',
      ],
      [
        'core/server/pipeline/learner-path.ts',
        'this.#messages = new MemberMessageWriter(parts.stint);',
        `this.#messages = new MemberMessageWriter(parts.stint);
        const last = earlier.get(parts.peer);
        earlier.set(parts.peer, this);
        for (const { again } of last === undefined ? [] : [...last.#proposals.all, ...last.#forwarded.toArray()])
            this.submit(again, null);`,
      ],
      [
        'core/server/pipeline/learner-path.ts',
        "this.#parts.outcomes.push({ type: 'refused', token: forwarded.token, reason });",
        "if (forwarded.token !== null) this.#parts.outcomes.push({ type: 'refused', token: forwarded.token, reason });",
      ],
      [
        'core/server/pipeline/learner-path.ts',
        'this.#forwarded.push({ token, bytes });',
        'this.#forwarded.push({ token, bytes, again: write });',
      ],
      [
        'core/server/pipeline/write-path.ts',
        'get length(): number {',
        'get all() {\n    return this.#proposals.toArray();\n    }\n    get length() {',
      ],
      [
        'core/server/pipeline/leader-sessions.ts',
        'return this.#tracker.ownerOf(sessionId) === member;',
        'return (this.#tracker.ownerOf(sessionId) ?? member) === member;',
      ],
    ],
  },
  {
    name: 'token-of-the-entry-before',
    mistake: 'an entry that nobody here asked for comes with the token of the entry before',
    standsFor: 'a client gets the reply to its own request',
    tests: ['core/server/pipeline/pipeline'],
    changes: [
      [
        'core/server/pipeline/pipeline.ts',
        'this.#entry.token = proposal?.token ?? null;',
        'this.#entry.token = proposal?.token ?? this.#entry.token;',
      ],
    ],
  },
  {
    name: 'hand-over-drops-tokens',
    mistake: 'a learner does not say which requests a leader that has handed over never takes',
    standsFor: 'no write of a rolling restart has an unknown outcome',
    tests: ['core/server/pipeline/pipeline'],
    changes: [
      [
        'core/server/pipeline/learner-path.ts',
        'return this.#forwarded.drain().map(({ token }) => token);',
        'this.#forwarded.drain();\n    return [];',
      ],
    ],
  },
  {
    name: 'deposed-leader-admits-session',
    mistake: 'a leader lets in a session that it knows without asking a quorum',
    standsFor: 'a session has one connection, under the latest leader',
    tests: ['core/server/pipeline/deposed-leader'],
    changes: [
      [
        'core/server/pipeline/leader-path.ts',
        'this.readIndex(() => answer(this.#claim(sessionId, member)));',
        `const known = this.#claim(sessionId, member);
    if (known !== null) return answer(known);
    this.readIndex(() => answer(this.#claim(sessionId, member)));`,
      ],
    ],
  },
  {
    name: 'watch-lost-between-turns',
    mistake: 'a setWatches of several turns leaves out the first path of each turn but the first',
    standsFor: 'no watch event is lost',
    tests: ['core/server/clients/watches'],
    changes: [
      [
        'core/server/clients/watch-service.ts',
        'const from = slot.progress;',
        'const from = slot.progress + (slot.progress > 0 ? 1 : 0);',
      ],
    ],
  },
  {
    name: 'applied-bytes-stay-under-way',
    mistake: 'bytes of proposals that were applied still count as under way',
    standsFor: 'a member takes writes for as long as it runs',
    tests: ['core/server/pipeline/write-path'],
    changes: [['core/server/pipeline/write-path.ts', 'this.#bytes -= proposal.bytes;', '']],
  },
  {
    name: 'answered-sync-kept',
    mistake: 'a leader keeps every sync that it has answered',
    standsFor: 'nothing gathers without a bound in a member',
    tests: ['core/server/pipeline/leader-path'],
    changes: [['core/server/pipeline/leader-path.ts', 'this.#questions.delete(token);', '']],
  },
  {
    name: 'resumed-for-longer',
    mistake: 'a session that is resumed gets the timeout that its client asks for',
    standsFor: 'a client gives a session up before the servers do',
    tests: ['core/server/clients/handshake'],
    changes: [
      [
        'core/server/clients/handshake.ts',
        '    const timeoutMs = Math.min(agreedMs, this.#negotiate(request.timeoutMs));',
        '    const timeoutMs = this.#negotiate(request.timeoutMs);',
      ],
    ],
  },
  {
    name: 'pause-noted-before-it-is-seen',
    mistake: 'a tick behind a pause notes its time before it looks for the pause',
    standsFor: 'nothing is answered behind a pause before a quorum has confirmed the leader',
    tests: ['core/server/member/member-loop'],
    changes: [
      [
        'core/server/member/member-loop.ts',
        `      this.#reassureIfPaused();
      this.#isReassured = false;
      this.#lastTickAt = now;`,
        `      this.#lastTickAt = now;
      this.#reassureIfPaused();
      this.#isReassured = false;`,
      ],
    ],
  },
];
