import type { Logger } from '../../runtime/index.js';
import { isSameFounding, type FoundingStatus, type PeerStatus } from '../../zab/index.js';

/** Logs what the founding of a new ensemble waits for, each time that it changes, and what it began without. */
export class FoundingLog {
  readonly #logger: Logger;
  #reported: FoundingStatus | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report({ state, founding }: PeerStatus): void {
    if (state !== 'looking' && state !== 'leading') return;
    if (isSameFounding(founding, this.#reported)) return;
    this.#reported = founding;
    if (founding === null) return;
    if (state === 'leading') this.#reportBegun(founding);
    else this.#reportWaiting(founding);
  }

  #reportBegun({ silentObservers }: FoundingStatus): void {
    if (silentObservers.length === 0) return;
    this.#logger.warn('Ensemble is founded without observers that did not answer', {
      observers: silentObservers,
    });
  }

  #reportWaiting({ absentVoters, silentObservers, membersWithHistory, lostVoters }: FoundingStatus): void {
    if (membersWithHistory.length > 0) {
      this.#logger.info('No ensemble is founded: members have a history', { members: membersWithHistory });
    } else if (absentVoters.length > 0) {
      this.#logger.info('Founding waits for voters', { voters: absentVoters });
    } else if (silentObservers.length > 0) {
      this.#logger.info('Founding waits for observers', { observers: silentObservers });
    } else if (lostVoters.length > 0) {
      this.#logger.warn('Voters have lost their disks since the founding began', {
        voters: lostVoters,
        remedy:
          'if the ensemble does not begin, and never served, start all voters with empty data directories',
      });
    }
  }
}
