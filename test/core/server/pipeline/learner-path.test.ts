import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import { Fifo } from '../../../../core/runtime/index.js';
import { LearnerPath, type LearnerPathParts } from '../../../../core/server/pipeline/learner-path.js';
import {
  MemberMessageWriter,
  readLearnerMessage,
  Refusal,
  type LeaderItem,
  type LearnerItem,
} from '../../../../core/server/pipeline/member-message.js';
import type { Outcome } from '../../../../core/server/pipeline/outcome.js';

const STINT = 7;

/** A learner's path whose leader is the test. */
class Scene {
  readonly path: LearnerPath<string>;
  readonly outcomes = new Fifo<Outcome<string>>();
  #sent: LearnerItem[] = [];

  constructor(limits: { maxProposalsInFlight?: number; maxBytesInFlight?: number } = {}) {
    const { maxProposalsInFlight = 1_000, maxBytesInFlight = 1_000_000 } = limits;
    const sendToLeader = (bytes: Uint8Array): boolean => {
      this.#sent.push(...readLearnerMessage(bytes).items);
      return true;
    };
    this.path = new LearnerPath({
      peer: { sendToLeader },
      options: { maxProposalsInFlight, maxBytesInFlight },
      stint: STINT,
      turns: { wakePeer: () => undefined },
      outcomes: this.outcomes,
      differs: () => undefined,
    } as unknown as LearnerPathParts<string>);
  }

  write(path: string, bytes = 100): void {
    const body = { path, data: new Uint8Array(bytes), version: -1 };
    const request = { op: OpCode.setData, body } as const;
    this.path.submit({ sessionId: 5n, cxid: 1, identities: [], request }, path);
  }

  answer(...items: LeaderItem[]): void {
    const writer = new MemberMessageWriter(STINT);
    for (const item of items) writer.leader(item);
    this.path.received(writer.take()!);
  }

  /** What the leader got since the last time, of one type. */
  sent<T extends LearnerItem['type']>(type: T): Extract<LearnerItem, { type: T }>[] {
    this.path.flush();
    return this.#sent.splice(0).filter((item) => item.type === type) as Extract<LearnerItem, { type: T }>[];
  }

  get held(): { length: number; bytes: number; questions: number } {
    const { length, bytes, openQuestions } = this.path;
    return { length, bytes, questions: openQuestions };
  }
}

const NOTHING = { length: 0, bytes: 0, questions: 0 };

test('a learner keeps nothing of writes that were applied', () => {
  const scene = new Scene();
  for (const path of ['/a', '/b', '/c']) scene.write(path);
  assert.is(scene.sent('request').length, 3);
  scene.answer({ type: 'accepted', count: 2, zxid: 11n }, { type: 'accepted', count: 1, zxid: 14n });
  assert.is(scene.held.length, 3);
  for (const zxid of [11n, 12n, 13n, 14n]) scene.path.take(zxid);
  assert.equal(scene.held, NOTHING);
});

test('a learner keeps nothing of writes that its leader refused, and takes as many as before', () => {
  const scene = new Scene({ maxBytesInFlight: 1_000 });
  for (const why of [Refusal.moved, Refusal.fault]) {
    for (let round = 0; round < 20; round++) {
      scene.write('/a');
      scene.path.flush();
      scene.answer({ type: 'refused', why });
    }
  }
  assert.equal(scene.held, NOTHING);
  assert.not(scene.path.isFull);
});

test('a learner is full while too many bytes or requests are under way, whether they are accepted or not', () => {
  const byBytes = new Scene({ maxBytesInFlight: 1_000 });
  byBytes.write('/a', 2_000);
  assert.ok(byBytes.path.isFull);
  byBytes.answer({ type: 'accepted', count: 1, zxid: 11n });
  assert.ok(byBytes.path.isFull);
  byBytes.path.take(11n);
  assert.not(byBytes.path.isFull);

  const byCount = new Scene({ maxProposalsInFlight: 3 });
  for (const path of ['/a', '/b', '/c']) byCount.write(path);
  byCount.answer({ type: 'accepted', count: 2, zxid: 11n });
  assert.ok(byCount.path.isFull);
  assert.not(byCount.path.isOverfull);
  for (const path of ['/d', '/e', '/f']) byCount.write(path);
  assert.ok(byCount.path.isOverfull);
});

test('a learner keeps nothing of questions that were answered', () => {
  const scene = new Scene();
  scene.path.confirm('sync');
  scene.path.resumeSession(5n, 'five');
  scene.path.resumeSession(6n, 'six');
  const [sync] = scene.sent('sync');
  assert.is(scene.held.questions, 3);
  scene.answer(
    { type: 'synced', token: sync!.token, zxid: 42n },
    { type: 'revalidated', token: sync!.token + 1, timeoutMs: 5_000 },
    { type: 'revalidated', token: sync!.token + 2, timeoutMs: 0 },
  );
  assert.equal(scene.outcomes.drain(), [
    { type: 'confirmed', token: 'sync', zxid: 42n },
    { type: 'resumed', token: 'five', timeoutMs: 5_000 },
    { type: 'resumed', token: 'six', timeoutMs: null },
  ]);
  assert.equal(scene.held, NOTHING);
  scene.answer({ type: 'synced', token: sync!.token, zxid: 42n });
  assert.is(scene.outcomes.length, 0, 'a second answer changes nothing');
});

test('a session is reported as heard once for each time that it was heard', () => {
  const scene = new Scene();
  const reports = (stamp: number): (readonly bigint[])[] => {
    scene.path.pinged(stamp, []);
    return scene.sent('touched').map(({ sessionIds }) => sessionIds);
  };
  scene.path.touch(5n);
  scene.path.touch(5n);
  scene.path.touch(6n);
  assert.equal(reports(1), [[5n, 6n]]);
  assert.equal(reports(2), [[]]);
  scene.path.touch(6n);
  scene.path.touch(7n);
  scene.path.applied(9n, 7n);
  assert.equal(reports(3), [[6n]]);
});

test.run();
