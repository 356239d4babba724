import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import type { LeaderPath } from '../../../../core/server/pipeline/leader-path.js';
import { LeaderSessions } from '../../../../core/server/pipeline/leader-sessions.js';
import { LearnerRequests } from '../../../../core/server/pipeline/learner-requests.js';
import { MemberMessageWriter, readLeaderMessage } from '../../../../core/server/pipeline/member-message.js';
import { TurnScheduler } from '../../../../core/server/pipeline/turn-scheduler.js';
import type { DigestExchange } from '../../../../core/server/state/index.js';
import { VirtualClock } from '../../../../core/testing/index.js';
import type { Peer } from '../../../../core/zab/index.js';

const SESSION = 7n;

/** A leader with a pipeline that the test fills and empties, and two learners. */
function scene(): {
  pipeline: { isFull: boolean; readonly taken: number[] };
  ask: (learner: number, cxid: number) => void;
  takeUp: (learner: number) => void;
  flush: () => readonly string[];
  room: (learner: number, maxDataBytes: number) => void;
  leave: () => void;
  readonly limits: readonly [number, number | null][];
} {
  const clock = new VirtualClock();
  const tracker = new LeaderSessions({ tickMs: 100, id: 1, graceMs: 0 });
  tracker.track(SESSION, 1000, 2, 0);
  const pipeline = { isFull: false, taken: [] as number[] };
  const told: string[] = [];
  const limits: [number, number | null][] = [];
  let learners = [
    { id: 2, isVoter: true },
    { id: 3, isVoter: false },
  ];
  const path = {
    get isFull() {
      return pipeline.isFull;
    },
    admit: ({ cxid }: { cxid: number }) => (pipeline.taken.push(cxid), null),
    limitData: (member: number, bytes: number | null) => limits.push([member, bytes]),
    claim: (sessionId: bigint, member: number, answer: (timeoutMs: number) => void) =>
      answer(tracker.claim(sessionId, member, 0)!.timeoutMs),
  } as unknown as LeaderPath<unknown>;
  const peer = {
    learners: () => learners,
    nextZxid: () => BigInt(pipeline.taken.length + 1),
    sendToLearner: (to: number, bytes: Uint8Array) => {
      for (const { type } of readLeaderMessage(bytes).items) told.push(`${type} ${to}`);
    },
  } as unknown as Peer;
  const requests = new LearnerRequests({
    peer,
    clock,
    path,
    tracker,
    turns: new TurnScheduler(clock),
    digests: {} as DigestExchange,
  });
  const send = (learner: number, write: (writer: MemberMessageWriter) => void): void => {
    const writer = new MemberMessageWriter(1);
    write(writer);
    requests.received(learner, writer.take()!);
  };
  return {
    pipeline,
    limits,
    room: (learner, maxDataBytes) =>
      send(learner, (writer) => writer.learner({ type: 'room', maxDataBytes })),
    leave: () => {
      learners = [];
      requests.tick();
    },
    ask: (learner, cxid) =>
      send(learner, (writer) =>
        writer.request({
          sessionId: SESSION,
          cxid,
          identities: [],
          request: { op: OpCode.delete, body: { path: '/a', version: -1 } },
        }),
      ),
    takeUp: (learner) =>
      send(learner, (writer) => writer.learner({ type: 'revalidate', token: 1, sessionId: SESSION })),
    flush: () => {
      requests.flush();
      return told.splice(0);
    },
  };
}

test('a voter that follows limits what the tree may take until it leaves, and an observer does not', () => {
  const { room, leave, limits } = scene();
  room(2, 5_000_000_000);
  room(3, 1);
  assert.equal(limits, [[2, 5_000_000_000]]);
  leave();
  assert.equal(limits.slice(1), [
    [2, null],
    [3, null],
  ]);
});

test('requests of a learner are taken in their order, as soon as there is room', () => {
  const { pipeline, ask, flush } = scene();
  pipeline.isFull = true;
  ask(2, 1);
  ask(2, 2);
  assert.equal(flush(), []);
  pipeline.isFull = false;
  assert.equal(flush(), ['accepted 2']);
  assert.equal(pipeline.taken, [1, 2]);
});

test('what waits while its session moves away is refused', () => {
  const { pipeline, ask, takeUp, flush } = scene();
  pipeline.isFull = true;
  ask(2, 1);
  takeUp(3);
  pipeline.isFull = false;
  assert.equal(flush(), ['refused 2', 'revalidated 3']);
  assert.equal(pipeline.taken, []);
});

test('what waits while its session moves away and comes back is refused too: it must not take effect behind what was asked for elsewhere', () => {
  const { pipeline, ask, takeUp, flush } = scene();
  pipeline.isFull = true;
  ask(2, 1);
  takeUp(3);
  ask(3, 2);
  takeUp(2);
  ask(2, 3);
  pipeline.isFull = false;
  flush();
  assert.equal(pipeline.taken, [3]);
});

test('a session that is taken up again where it is keeps what waits', () => {
  const { pipeline, ask, takeUp, flush } = scene();
  pipeline.isFull = true;
  ask(2, 1);
  takeUp(2);
  ask(2, 2);
  pipeline.isFull = false;
  flush();
  assert.equal(pipeline.taken, [1, 2]);
});

test.run();
