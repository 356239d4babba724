import type { Clock } from '../../runtime/index.js';

/**
 * Schedules the turns of a member's loop. Every layer that has work for the next turn calls `wake`, so that no layer needs to know
 * the loop. What a turn itself brings about is done at its end, or in the next turn.
 */
export class TurnScheduler {
  readonly #clock: Clock;
  #turn: (() => boolean) | null = null;
  #isScheduled = false;
  #isTurning = false;
  #hasPeerWork = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `turn` does what there is to do, and returns whether another turn is needed. */
  start(turn: () => boolean): void {
    this.#turn = turn;
  }

  /** No turn runs any more. Idempotent. */
  stop(): void {
    this.#turn = null;
  }

  /** A layer has work for the next turn. */
  wake(): void {
    if (this.#isScheduled || this.#isTurning || this.#turn === null) return;
    this.#isScheduled = true;
    this.#clock.soon(this.#run);
  }

  /** Zab's peer got an input, so that it may have something to do. */
  wakePeer(): void {
    this.#hasPeerWork = true;
    this.wake();
  }

  /** Returns whether the peer got an input since the last call. */
  takePeerWork(): boolean {
    const hadWork = this.#hasPeerWork;
    this.#hasPeerWork = false;
    return hadWork;
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    if (this.#turn === null) return;
    this.#isTurning = true;
    const needsAnother = this.#turn();
    this.#isTurning = false;
    if (needsAnother || this.#hasPeerWork) this.wake();
  };
}
