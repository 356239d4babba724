import type { DigestPoint } from '../../data/index.js';
import { OpCode } from '../../protocol/index.js';
import { Fifo, type Clock } from '../../runtime/index.js';
import type { Peer } from '../../zab/index.js';
import type { DigestExchange } from '../state/index.js';
import type { LeaderPath } from './leader-path.js';
import type { LeaderSessions } from './leader-sessions.js';
import { MemberMessageWriter, readLearnerMessage, Refusal, type LearnerItem } from './member-message.js';
import type { ClientWrite } from './outcome.js';
import type { TurnScheduler } from './turn-scheduler.js';

export interface LearnerRequestsParts {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly path: Pick<
    LeaderPath<unknown>,
    'isFull' | 'admit' | 'admitSession' | 'claim' | 'readIndex' | 'limitData'
  >;
  readonly tracker: LeaderSessions;
  readonly turns: TurnScheduler;
  readonly digests: DigestExchange;
}

/** What the leader knows of a learner that serves clients. */
interface Learner {
  readonly id: number;
  readonly stint: number;
  readonly answers: MemberMessageWriter;
  /** Accepted, but not told yet; of requests that were proposed one directly behind the other. */
  accepted: { count: number; zxid: bigint } | null;
}

/** A learner's request that has arrived, when its session had moved so often. */
interface Waiting {
  readonly learner: Learner;
  readonly write: ClientWrite;
  readonly moves: number;
}

/** The leader's answers to its learners: takes their requests in, in the order of their coming, and never more than the log can take. */
export class LearnerRequests {
  readonly #parts: LearnerRequestsParts;
  readonly #learners = new Map<number, Learner>();
  /** Waiting for room in the pipeline. Each learner bounds what it has under way. */
  readonly #waiting = new Fifo<Waiting>();

  constructor(parts: LearnerRequestsParts) {
    this.#parts = parts;
  }

  received(from: number, bytes: Uint8Array): void {
    const { stint, items } = readLearnerMessage(bytes);
    const learner = this.#learnerOf(from, stint);
    for (const item of items) this.#take(learner, item);
  }

  /** Works off what waits, as far as there is room, and sends what there is to tell. */
  flush(): void {
    const { peer, path, turns } = this.#parts;
    while (this.#waiting.length > 0 && !path.isFull) {
      const next = this.#waiting.shift()!;
      if (this.#learners.get(next.learner.id) === next.learner) this.#propose(next);
    }
    for (const learner of this.#learners.values()) {
      this.#tellAccepted(learner);
      const bytes = learner.answers.take();
      if (bytes === null) continue;
      peer.sendToLearner(learner.id, bytes);
      turns.wakePeer();
    }
  }

  /** The session has left that learner for another member. */
  movedAway(sessionId: bigint, learner: number): void {
    this.#learners.get(learner)?.answers.leader({ type: 'moved', sessionId });
  }

  /** That learner's state differs from a quorum's. */
  differs(learner: number, expected: DigestPoint): void {
    this.#learners.get(learner)?.answers.leader({ type: 'differs', expected });
  }

  /** Forgets the learners that do not follow any more. */
  tick(): void {
    const present = new Set(this.#parts.peer.learners().map(({ id }) => id));
    for (const id of this.#learners.keys()) if (!present.has(id)) this.#forget(id);
  }

  /** A learner that begins to serve anew has lost what it had heard before. */
  #learnerOf(id: number, stint: number): Learner {
    const known = this.#learners.get(id);
    if (known?.stint === stint) return known;
    if (known !== undefined) this.#forget(id);
    const learner: Learner = { id, stint, answers: new MemberMessageWriter(stint), accepted: null };
    this.#learners.set(id, learner);
    return learner;
  }

  #forget(id: number): void {
    this.#learners.delete(id);
    this.#parts.path.limitData(id, null);
    this.#parts.tracker.lost(id, this.#parts.clock.now());
  }

  #take(learner: Learner, item: LearnerItem): void {
    const { path, tracker, clock } = this.#parts;
    switch (item.type) {
      case 'request':
        return this.#waiting.push({
          learner,
          write: item.write,
          moves: tracker.movesOf(item.write.sessionId),
        });
      case 'revalidate':
        return path.claim(item.sessionId, learner.id, (timeoutMs) =>
          learner.answers.leader({ type: 'revalidated', token: item.token, timeoutMs: timeoutMs ?? 0 }),
        );
      case 'sync':
        return path.readIndex((zxid) => learner.answers.leader({ type: 'synced', token: item.token, zxid }));
      case 'touched':
        return tracker.report(learner.id, item.sessionIds, item.stamp, clock.now());
      case 'room':
        return this.#limitData(learner, item.maxDataBytes);
      case 'digests':
        return this.#parts.digests.answered(learner.id, item.points);
    }
  }

  /** Those without a vote may lack room: the ensemble does without them. */
  #limitData({ id }: Learner, maxDataBytes: number): void {
    const { peer, path } = this.#parts;
    if (peer.learners().some((one) => one.id === id && one.isVoter)) path.limitData(id, maxDataBytes);
  }

  #propose({ learner, write, moves }: Waiting): void {
    const { path, peer, tracker } = this.#parts;
    const { request, sessionId, identities } = write;
    const zxid = peer.nextZxid();
    if (request.op === OpCode.createSession) {
      const isAdmitted = path.admitSession(request.body.timeoutMs, identities, learner.id, null) !== null;
      return isAdmitted ? this.#accept(learner, zxid) : this.#refuse(learner, Refusal.fault);
    }
    if (tracker.movesOf(sessionId) !== moves) return this.#refuse(learner, Refusal.moved);
    const refusal = path.admit(write, learner.id, null);
    if (refusal === null) this.#accept(learner, zxid);
    else this.#refuse(learner, refusal);
  }

  #accept(learner: Learner, zxid: bigint): void {
    const { accepted } = learner;
    if (accepted !== null && accepted.zxid + BigInt(accepted.count) === zxid) accepted.count += 1;
    else {
      this.#tellAccepted(learner);
      learner.accepted = { count: 1, zxid };
    }
  }

  #refuse(learner: Learner, why: Refusal): void {
    this.#tellAccepted(learner);
    learner.answers.leader({ type: 'refused', why });
  }

  #tellAccepted(learner: Learner): void {
    if (learner.accepted === null) return;
    learner.answers.leader({ type: 'accepted', ...learner.accepted });
    learner.accepted = null;
  }
}
