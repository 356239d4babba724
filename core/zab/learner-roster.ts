import type { LearnerTracker } from './learner-tracker.js';

/** The learners of one leader, always walked in the order of their ids. */
export class LearnerRoster {
  readonly #byId = new Map<number, LearnerTracker>();
  #sorted: LearnerTracker[] = [];

  get all(): readonly LearnerTracker[] {
    return this.#sorted;
  }

  get(id: number): LearnerTracker | undefined {
    return this.#byId.get(id);
  }

  put(learner: LearnerTracker): void {
    this.remove(learner.id);
    this.#byId.set(learner.id, learner);
    this.#sort();
  }

  remove(id: number): void {
    const learner = this.#byId.get(id);
    if (learner === undefined) return;
    learner.feed?.cancel();
    this.#byId.delete(id);
    this.#sort();
  }

  #sort(): void {
    this.#sorted = [...this.#byId.values()].sort((a, b) => a.id - b.id);
  }
}
