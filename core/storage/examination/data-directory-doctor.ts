import { silentLogger, type Logger } from '../../runtime/index.js';
import { contentOf } from '../data-directory.js';
import type { Directory, Disk } from '../disk.js';
import { checkHistory, readEntries } from '../recovery.js';
import { CorruptionError, toStorageError } from '../storage-error.js';
import { prognose, type Prognosis, type RepairPlan } from './prognosis.js';
import { repairDirectory } from './repair.js';
import type { ContentCheck, LogEntry } from '../storage.js';
import { reportingUnreadableBlocks } from '../unreadable-blocks.js';
import { surveyDirectory, type Survey } from './survey.js';

export interface Examination {
  readonly survey: Survey;
  readonly prognosis: Prognosis;
}

/** Looks into the data directory of a member that does not run, and repairs it. Holds its lock until it is closed. */
export class DataDirectoryDoctor {
  readonly #directory: Directory;
  readonly #checkContent: ContentCheck;

  private constructor(directory: Directory, checkContent: ContentCheck) {
    this.#directory = directory;
    this.#checkContent = checkContent;
  }

  /** Rejects with `DataDirectoryLockedError` while a member uses it. */
  static async open(disk: Disk, checkContent: ContentCheck): Promise<DataDirectoryDoctor> {
    return new DataDirectoryDoctor(reportingUnreadableBlocks(await disk.lock()), checkContent);
  }

  /** Changes nothing. Rejects with `UnknownFormatError` or `StorageAccessError` where nothing can be said. */
  examine(): Promise<Examination> {
    return this.#explained('examining', () => this.#examine());
  }

  async #examine(): Promise<Examination> {
    const survey = await surveyDirectory(this.#directory, this.#checkContent);
    const prognosis = prognose(survey);
    const { isLoss, plan } = prognosis;
    const isHarmless = !isLoss && (plan.type === 'none' || (await this.#wouldStart(survey, plan)));
    return { survey, prognosis: { ...prognosis, isLoss: !isHarmless } };
  }

  /** True if a start accepts what the plan keeps: a second fault may hide behind the one that stops it now. */
  async #wouldStart({ identity, promises, end }: Survey, plan: RepairPlan): Promise<boolean> {
    if (identity === null || promises === null || plan.type !== 'trim' || plan.cut !== null) return false;
    const aside = new Set(plan.aside.map(({ name }) => name));
    const names = (await this.#directory.list()).filter((name) => !aside.has(name));
    try {
      const content = await contentOf(this.#directory, names, { identity, promises, end });
      await checkHistory(this.#directory, content, this.#checkContent);
      return true;
    } catch (error) {
      if (error instanceof CorruptionError) return false;
      throw error;
    }
  }

  /** The entries behind the newest snapshot that verifies, in order; none if a member would not start on the directory. Changes nothing. */
  entries({ survey }: Examination): Promise<readonly LogEntry[]> {
    const { identity, promises, end, refusal } = survey;
    if (identity === null || promises === null || refusal !== null) return Promise.resolve([]);
    return this.#explained('examining', async () => {
      const names = await this.#directory.list();
      const content = await contentOf(this.#directory, names, { identity, promises, end });
      return readEntries(this.#directory, content);
    });
  }

  /** Carries out the prognosis; returns what was moved, relative to the directory. */
  repair(
    { survey, prognosis }: Examination,
    options: { readonly folder: string; readonly isAlone: boolean; readonly logger?: Logger },
  ): Promise<readonly string[]> {
    const { folder, isAlone, logger = silentLogger } = options;
    const [directory, checkContent] = [this.#directory, this.#checkContent];
    return this.#explained('repairing', () =>
      repairDirectory(survey, prognosis, { directory, checkContent, folder, isAlone, logger }),
    );
  }

  async #explained<T>(doing: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw toStorageError(error, { location: this.#directory.location, doing, file: 'the data directory' });
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#directory.release();
  }
}
