import type { Logger } from '../../runtime/index.js';
import type { Member } from '../member/index.js';
import { StateDamagedError } from '../state/index.js';

/**
 * The member of this process. One that finds its state in memory damaged is started again in its place, once: its log and its
 * snapshots were verified when they were written, so it recovers the right state from them. Its clients keep their sessions and
 * come back, and it keeps its vote.
 */
export class RunningMember {
  readonly #start: () => Promise<Member>;
  readonly #logger: Logger;
  readonly #failureListeners = new Set<(error: Error) => void>();
  #current: Member | null = null;
  /** The last one that was started. */
  #latest!: Member;
  #mayStartAgain = true;
  #failure: Error | null = null;
  #starting: Promise<void>;
  #isClosing = false;

  /** `start` opens the data directory and starts a member on it. */
  constructor(start: () => Promise<Member>, logger: Logger) {
    this.#start = start;
    this.#logger = logger;
    this.#starting = this.#run();
  }

  /** Null while a member is starting. */
  get current(): Member | null {
    return this.#current;
  }

  /** The one that was started last, whatever has become of it. */
  get latest(): Member {
    return this.#latest;
  }

  /** Resolves when a member has been started; rejects with what its start rejects with. */
  started(): Promise<void> {
    return this.#starting;
  }

  /** Calls `listener` once if the member fails for good; at once if it has. */
  onFailure(listener: (error: Error) => void): void {
    if (this.#failure !== null) listener(this.#failure);
    else this.#failureListeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#starting.catch(() => undefined);
    await this.#latest.close();
  }

  async #run(): Promise<void> {
    const member = await this.#start();
    this.#latest = this.#current = member;
    member.onFailure((error) => this.#failed(error));
  }

  #failed(reason: Error): void {
    const isCurable = reason instanceof StateDamagedError && this.#mayStartAgain && !this.#isClosing;
    if (!isCurable) return this.#report(reason);
    this.#mayStartAgain = false;
    this.#current = null;
    this.#logger.warn('Starting again from the disk, because the state in memory was damaged');
    this.#starting = this.#run();
    this.#starting.catch((failure: unknown) =>
      this.#report(failure instanceof Error ? failure : new Error(String(failure))),
    );
  }

  #report(error: Error): void {
    this.#failure = error;
    for (const listener of this.#failureListeners) listener(error);
    this.#failureListeners.clear();
  }
}
