import { silentLogger, type Logger } from '../../runtime/index.js';
import type { Directory, Disk } from '../disk.js';
import { prognose, type Prognosis } from './prognosis.js';
import { repairDirectory } from './repair.js';
import { surveyDirectory, type ContentCheck, type Survey } from './survey.js';

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
    return new DataDirectoryDoctor(await disk.lock(), checkContent);
  }

  /** Changes nothing. */
  async examine(): Promise<Examination> {
    const survey = await surveyDirectory(this.#directory, this.#checkContent);
    return { survey, prognosis: prognose(survey) };
  }

  /** Carries out the prognosis; returns what was moved, relative to the directory. */
  repair(
    { survey, prognosis }: Examination,
    options: { readonly folder: string; readonly isAlone: boolean; readonly logger?: Logger },
  ): Promise<readonly string[]> {
    const { folder, isAlone, logger = silentLogger } = options;
    return repairDirectory(survey, prognosis, { directory: this.#directory, folder, isAlone, logger });
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#directory.release();
  }
}
