import type { Logger } from '../runtime/index.js';
import { prognose } from './examination/prognosis.js';
import { repairDirectory } from './examination/repair.js';
import { surveyDirectory } from './examination/survey.js';
import type { Directory } from './disk.js';
import type { CorruptionError } from './storage-error.js';
import type { ContentCheck } from './storage.js';

const readToTheEnd: ContentCheck = async (content) => {
  for await (const _ of content);
};

/**
 * Makes a damaged directory one that its member can start on without a vote: what cannot be used is moved to a folder below the
 * directory, and the directory says that the member has to rejoin, whatever the damage was. Only for a member whose ensemble can
 * give back what is lost.
 */
export async function repairForRejoining(
  directory: Directory,
  damage: CorruptionError,
  options: {
    readonly folder: string;
    readonly checkContent: ContentCheck | undefined;
    readonly logger: Logger;
  },
): Promise<void> {
  const { folder, checkContent = readToTheEnd, logger } = options;
  const { file, offset, reason } = damage.fields;
  const survey = await surveyDirectory(directory, checkContent);
  const prognosis = { ...prognose(survey), isLoss: true };
  const moved = await repairDirectory(survey, prognosis, {
    directory,
    checkContent,
    folder,
    isAlone: false,
    logger,
  });
  logger.error(
    'The data directory is damaged; the member keeps what is sound and rejoins its ensemble without a vote',
    {
      file,
      offset,
      reason,
      soundUpTo: hex(prognosis.soundUpTo),
      knownUpTo: hex(prognosis.knownUpTo),
      moved,
    },
  );
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}
