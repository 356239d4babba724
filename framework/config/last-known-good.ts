import { rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/runtime/index.js';
import {
  createPrivateFile,
  looseMode,
  makePrivateDirectory,
  openWithoutLinks,
} from '../../core/storage/index.js';
import type { Schema } from '../schema.js';
import { parseConfigJson } from './config-json.js';
import { withoutSecrets } from './secrets.js';

/** Where good configuration is kept for a start without a server. */
export interface LastKnownGoodOptions {
  /** Made with mode 0700 if it is missing; its files have mode 0600, whatever mode it has. */
  readonly directory: string;
  /**
   * Whether to keep also what a schema marks as secret, in clear text. Default false: then a configuration with secrets in its znode
   * starts without a server only where the environment sets them (`env` of `@Config`).
   */
  readonly secrets?: boolean | undefined;
}

/** The newest value that was accepted; null when there was no znode, so that the defaults held. */
export interface KnownGood {
  readonly value: unknown;
  /** Fields with secrets that were not kept, such as `smtp.password`. */
  readonly withheld: readonly string[];
}

/**
 * Keeps the last good value of each configuration in a directory, for a start without a server. Losing one is
 * no harm while a server is there, so failures are logged and nothing more. Links are not followed.
 */
export class LastKnownGood {
  readonly #directory: string;
  readonly #keepsSecrets: boolean;
  readonly #logger: Logger;
  /** Writes of one file never overtake each other. */
  #writing: Promise<void> = Promise.resolve();
  #isDirectoryChecked = false;

  constructor(options: string | LastKnownGoodOptions, logger: Logger) {
    const { directory, secrets = false } = typeof options === 'string' ? { directory: options } : options;
    this.#directory = directory;
    this.#keepsSecrets = secrets;
    this.#logger = logger;
  }

  /** Undefined when nothing readable is there. */
  async load(name: string): Promise<KnownGood | undefined> {
    const file = this.#file(name);
    try {
      const text = await readPrivate(file);
      const parsed = parseConfigJson(text);
      const known = 'value' in parsed ? knownGood(parsed.value) : undefined;
      if (known !== undefined) return known;
      const problem = 'problem' in parsed ? parsed.problem : 'it was not written by an application';
      this.#logger.warn('the last known good configuration on disk cannot be used', { name, file, problem });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#logger.warn('the last known good configuration on disk cannot be read', { name, file, error });
    }
    return undefined;
  }

  /** Resolves when it is written, or when that failed. `schema` tells what is secret in the value. */
  save(name: string, value: unknown, schema?: Schema): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(name, value, schema));
    return this.#writing;
  }

  async #write(name: string, value: unknown, schema: Schema | undefined): Promise<void> {
    const file = this.#file(name);
    try {
      await makePrivateDirectory(this.#directory);
      await this.#checkDirectory();
      const kept = this.#keepsSecrets ? { value } : withoutSecrets(value, schema);
      const handle = await createPrivateFile(`${file}.new`);
      try {
        await handle.writeFile(JSON.stringify({ ...kept, value: kept.value ?? null }));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(`${file}.new`, file);
    } catch (error) {
      this.#logger.warn('the last known good configuration cannot be kept on disk', { name, file, error });
    }
  }

  /** A directory that was there before keeps its mode: it may hold what belongs to others. */
  async #checkDirectory(): Promise<void> {
    if (this.#isDirectoryChecked) return;
    this.#isDirectoryChecked = true;
    const directory = this.#directory;
    const problem = await looseMode(directory);
    if (problem !== null)
      this.#logger.warn('The directory of the last known good configuration is not private', {
        directory,
        problem,
      });
  }

  #file(name: string): string {
    return join(this.#directory, `${encodeURIComponent(name)}.json`);
  }
}

/** Files of earlier versions could be read by everybody. */
async function readPrivate(file: string): Promise<string> {
  const handle: FileHandle = await openWithoutLinks(file);
  try {
    await handle.chmod(0o600).catch(() => undefined);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function knownGood(kept: unknown): KnownGood | undefined {
  if (kept === null || typeof kept !== 'object' || !('value' in kept)) return undefined;
  const withheld = 'withheld' in kept && Array.isArray(kept.withheld) ? kept.withheld.map(String) : [];
  return { value: kept.value, withheld };
}
