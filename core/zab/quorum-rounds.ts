import type { Quorum } from './quorum.js';
import type { ReadIndexAnswer } from './ready.js';

interface Question {
  readonly token: number;
  readonly zxid: bigint;
  /** The first round that began after the question. */
  readonly round: number;
}

/**
 * Rounds of pings, numbered. A quorum's echo of a round proves that this leader still led when the round
 * began, since each who echoes had promised nobody a higher epoch by then: that is what a linearizable `sync`
 * needs and ZooKeeper's does not have (ZOOKEEPER-1675, ZOOKEEPER-2136).
 */
export class QuorumRounds {
  readonly #quorum: Quorum;
  readonly #self: number;
  #last = 0;
  #isWanted = false;
  readonly #echoed = new Map<number, bigint>();
  #questions: Question[] = [];
  #confirmFrom = 0;

  constructor(quorum: Quorum, self: number) {
    this.#quorum = quorum;
    this.#self = self;
  }

  /** Somebody waits for a round that has not begun. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** The round that begins next. */
  get next(): number {
    return this.#last + 1;
  }

  get isConfirmed(): boolean {
    return this.#confirmed >= this.#confirmFrom;
  }

  /** Until another round is confirmed, this leader does not know whether it still leads. */
  doubt(): void {
    this.#confirmFrom = this.#last + 1;
    this.#isWanted = true;
  }

  ask(token: number, zxid: bigint): void {
    this.#questions.push({ token, zxid, round: this.#last + 1 });
    this.#isWanted = true;
  }

  /** `isCounted`: this member itself is. */
  begin(isCounted: boolean): number {
    this.#isWanted = false;
    this.#last += 1;
    if (isCounted) this.#echoed.set(this.#self, BigInt(this.#last));
    return this.#last;
  }

  echo(voter: number, round: number): void {
    if (round <= this.#last) this.#echoed.set(voter, BigInt(round));
  }

  /** Questions whose round is confirmed and whose zxid is committed. */
  takeAnswers(commitZxid: bigint): ReadIndexAnswer[] {
    if (this.#questions.length === 0) return [];
    const confirmed = this.#confirmed;
    const isDue = ({ round, zxid }: Question): boolean => round <= confirmed && zxid <= commitZxid;
    const due = this.#questions.filter(isDue);
    if (due.length > 0) this.#questions = this.#questions.filter((question) => !isDue(question));
    return due.map(({ token, zxid }) => ({ token, zxid }));
  }

  get #confirmed(): number {
    return Number(this.#quorum.reachedBy(this.#echoed) ?? 0n);
  }
}
