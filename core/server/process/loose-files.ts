import { stat } from 'node:fs/promises';
import type { Logger } from '../../runtime/index.js';
import { looseMode } from '../../storage/index.js';
import { ConfigurationError } from '../configuration/index.js';

export interface LooseFileOptions {
  /**
   * Refuse to start when other users can read or change the data directory, `secretFile`, `tlsKey`,
   * `authUsersFile` or `saslUsersFile`, or their group can change it.
   * Default false: a warning is logged, since some platforms mount such files with modes of their own.
   */
  readonly refuseLooseFiles?: boolean;
}

/**
 * Warns of files that are to be private and are not. With `refuseLooseFiles` rejects with `ConfigurationError` instead.
 */
export async function checkLooseFiles(
  options: LooseFileOptions & {
    readonly data: string;
    readonly secretFile?: string | undefined;
    readonly tlsKey?: string | undefined;
    readonly authUsersFile?: string | undefined;
    readonly saslUsersFile?: string | undefined;
  },
  logger: Logger,
): Promise<void> {
  const { data, secretFile, tlsKey, authUsersFile, saslUsersFile } = options;
  const paths = [
    ['data', data, '700'],
    ['secretFile', secretFile, '600'],
    ['tlsKey', tlsKey, '600'],
    ['authUsersFile', authUsersFile, '600'],
    ['saslUsersFile', saslUsersFile, '600'],
  ] as const;
  for (const [option, path, mode] of paths) {
    // Of what is no directory, such as a device, the storage says that it cannot be one of data.
    const isOther = option === 'data' && !(await isDirectory(path));
    const problem = path === undefined || isOther ? null : await looseMode(path);
    if (problem === null || path === undefined) continue;
    const remedy = `Run chmod ${mode} on it.`;
    if (options.refuseLooseFiles === true)
      throw new ConfigurationError(option, `${path} is not private: ${problem}`, remedy);
    logger.warn('A file or directory that is to be private is not', { option, path, problem, remedy });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
