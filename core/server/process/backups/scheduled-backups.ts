import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Timer } from '../../../runtime/index.js';
import { makePrivateDirectory, writeWholeFile } from '../../../storage/index.js';
import { ConfigurationError } from '../../configuration/index.js';
import type { Member } from '../../member/index.js';
import { backupOf, verifyBackup } from '../../state/index.js';

/** A backup that failed, or a member that does not serve, is tried again after this time. */
const RETRY_MS = 60_000;
const LEAST_EVERY_MS = 1_000;
const DAY_MS = 86_400_000;
const DEFAULT_KEPT = 7;

export interface ScheduledBackupOptions {
  /** Directory for backups that this member takes by itself, made with mode 0700 if it is missing. Default: none are taken. */
  readonly backupDir?: string;
  /** Milliseconds between two of them. Default 86 400 000, a day. */
  readonly backupEvery?: number;
  /** How many of this member stay; older ones are deleted when a newer one has been verified. Default 7. */
  readonly backupKeep?: number;
}

/** How the backups are that this member takes by itself. */
export interface BackupStatus {
  /** Milliseconds since the last one was taken; null if there is none. */
  readonly ageMs: number | null;
  /** Why the last attempt failed; null if it did not. */
  readonly failure: string | null;
}

export interface ScheduledBackupParts {
  readonly id: number;
  readonly options: ScheduledBackupOptions;
  readonly member: () => Member | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Takes backups of the member of this process every so often, verifies each by reading it back, and deletes old ones. The files of the
 * directory say when the last one was taken, so a restart neither delays nor repeats one. A failure is logged and harms nothing.
 */
export class ScheduledBackups {
  readonly #parts: ScheduledBackupParts;
  readonly #directory: string;
  readonly #everyMs: number;
  readonly #kept: number;
  /** By the wall clock. */
  #takenAt: number | null = null;
  #failure: string | null = null;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(parts: ScheduledBackupParts, directory: string) {
    this.#parts = parts;
    this.#directory = directory;
    this.#everyMs = parts.options.backupEvery ?? DAY_MS;
    this.#kept = parts.options.backupKeep ?? DEFAULT_KEPT;
  }

  /** Null if none are asked for. Throws `ConfigurationError`. */
  static of(parts: ScheduledBackupParts): ScheduledBackups | null {
    const { backupDir, backupEvery, backupKeep } = parts.options;
    requireCount('backupEvery', backupEvery, LEAST_EVERY_MS);
    requireCount('backupKeep', backupKeep, 1);
    if (backupDir !== undefined) return new ScheduledBackups(parts, backupDir);
    for (const [name, value] of Object.entries({ backupEvery, backupKeep }))
      if (value !== undefined)
        throw new ConfigurationError(name, 'there is no backupDir', 'Give both, or none.');
    return null;
  }

  get status(): BackupStatus {
    const { clock } = this.#parts;
    return {
      ageMs: this.#takenAt === null ? null : Math.max(0, clock.wall() - this.#takenAt),
      failure: this.#failure,
    };
  }

  /** Begins to take them. Rejects if the directory cannot be made or read. */
  async start(): Promise<void> {
    await makePrivateDirectory(this.#directory);
    const newest = (await this.#files()).at(-1);
    if (newest !== undefined) this.#takenAt = (await stat(join(this.#directory, newest))).mtimeMs;
    this.#schedule(this.#dueInMs);
  }

  /** Waits for one that is being written. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  get #dueInMs(): number {
    const { ageMs } = this.status;
    return ageMs === null ? 0 : Math.max(0, this.#everyMs - ageMs);
  }

  #schedule(inMs: number): void {
    if (this.#isClosed) return;
    const take = (): void => void (this.#running = this.#take());
    this.#timer = this.#parts.clock.setTimer(inMs, take);
  }

  async #take(): Promise<void> {
    const member = this.#parts.member();
    const { logger } = this.#parts;
    if (member === null || !member.health().isServing)
      return this.#schedule(Math.min(RETRY_MS, this.#everyMs));
    try {
      await this.#write(member);
      this.#failure = null;
      await this.#purge();
      this.#schedule(this.#everyMs);
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      const retryInMs = Math.min(RETRY_MS, this.#everyMs);
      if (!this.#isClosed)
        logger.error('Scheduled backup failed', { directory: this.#directory, retryInMs, error });
      this.#schedule(retryInMs);
    }
  }

  async #write(member: Member): Promise<void> {
    const { clock, logger, id } = this.#parts;
    const { ensemble, epoch } = member.health();
    const startedAt = clock.wall();
    const takenAt = new Date(startedAt).toISOString();
    const file = join(this.#directory, `member-${id}-${takenAt.replaceAll(':', '-')}.backup`);
    const pause = (): Promise<void> => {
      if (this.#isClosed) throw new Error('the member is stopping');
      return new Promise((resolve) => clock.soon(resolve));
    };
    await writeWholeFile(file, backupOf(member.snapshot(), { ensemble, epoch, member: id, takenAt }, pause));
    try {
      const { zxid, bytes } = await verifyBackup(createReadStream(file) as AsyncIterable<Buffer>, file);
      logger.info('Scheduled backup taken', { file, zxid, bytes });
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    this.#takenAt = startedAt;
  }

  async #purge(): Promise<void> {
    for (const name of (await this.#files()).slice(0, -this.#kept))
      await rm(join(this.#directory, name), { force: true });
  }

  /** Of this member, oldest first. */
  async #files(): Promise<readonly string[]> {
    const own = new RegExp(`^member-${this.#parts.id}-\\d{4}-[-0-9T.]*Z\\.backup$`);
    return (await readdir(this.#directory)).filter((name) => own.test(name)).sort();
  }
}

function requireCount(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new ConfigurationError(name, `${value} is not allowed`, `Give a whole number from ${least} on.`);
}
