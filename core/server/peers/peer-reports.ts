import type { Logger } from '../../runtime/index.js';
import { settingDifferences, type MemberSettings, type SettingDifference } from './member-settings.js';

/** Characters of a problem that are kept: a part of it may come from a stranger. */
const LONGEST_PROBLEM = 300;

/** What an operator is told of the other members: what keeps each away, and in which settings it differs. */
export class PeerReports {
  readonly #own: MemberSettings;
  readonly #logger: Logger;
  readonly #problems = new Map<number, string>();
  readonly #differences = new Map<number, readonly SettingDifference[]>();

  constructor(own: MemberSettings, logger: Logger) {
    this.#own = own;
    this.#logger = logger;
  }

  /** Why the last attempt at a link to a member failed; nothing of members that have one. */
  get problems(): ReadonlyMap<number, string> {
    return this.#problems;
  }

  /** Members that were started with other settings than this one, as each told last. */
  get differences(): ReadonlyMap<number, readonly SettingDifference[]> {
    return this.#differences;
  }

  failed(peer: number, problem: string): void {
    this.#problems.set(peer, problem.slice(0, LONGEST_PROBLEM));
  }

  /** A link is up. Differences are logged when they are new: links may break often. */
  linked(peer: number, theirs: MemberSettings): void {
    this.#problems.delete(peer);
    const before = this.#differences.get(peer) ?? [];
    const differences = settingDifferences(this.#own, theirs);
    if (differences.length === 0) this.#differences.delete(peer);
    else this.#differences.set(peer, differences);
    if (differences.length === 0 || textOf(differences) === textOf(before)) return;
    this.#logger.warn('Another member was started with other settings: start all members with the same', {
      peer,
      differences: textOf(differences),
    });
  }
}

function textOf(differences: readonly SettingDifference[]): string {
  return differences
    .map(({ setting, here, there }) => `${setting} is ${here} here and ${there} there`)
    .join(', ');
}
