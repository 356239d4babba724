import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/runtime/index.js';

/** The newest value that was accepted; null when there was no znode, so that the defaults held. */
export interface KnownGood {
  readonly value: unknown;
}

/**
 * Keeps the last good value of each configuration in a directory, for a start without a server. Losing one is
 * no harm while a server is there, so failures are logged and nothing more.
 */
export class LastKnownGood {
  readonly #directory: string;
  readonly #logger: Logger;
  /** Writes of one file never overtake each other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, logger: Logger) {
    this.#directory = directory;
    this.#logger = logger;
  }

  /** Undefined when nothing readable is there. */
  async load(name: string): Promise<KnownGood | undefined> {
    const file = this.#file(name);
    try {
      const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
      if (parsed !== null && typeof parsed === 'object' && 'value' in parsed) return { value: parsed.value };
      this.#logger.warn('the last known good configuration on disk cannot be used', { name, file });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#logger.warn('the last known good configuration on disk cannot be read', { name, file, error });
    }
    return undefined;
  }

  /** Resolves when it is written, or when that failed. */
  save(name: string, value: unknown): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(name, value));
    return this.#writing;
  }

  async #write(name: string, value: unknown): Promise<void> {
    const file = this.#file(name);
    try {
      await mkdir(this.#directory, { recursive: true });
      const handle = await open(`${file}.new`, 'w');
      try {
        await handle.writeFile(JSON.stringify({ value }));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(`${file}.new`, file);
    } catch (error) {
      this.#logger.warn('the last known good configuration cannot be kept on disk', { name, file, error });
    }
  }

  #file(name: string): string {
    return join(this.#directory, `${encodeURIComponent(name)}.json`);
  }
}
