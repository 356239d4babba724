import { QuorateError } from '../../../runtime/index.js';

const REMEDIES = {
  BACKUP_DAMAGED: 'Take another backup.',
  BACKUP_FORMAT_UNKNOWN: 'Use the version of Quorate that wrote it, or a later one.',
} as const;

/** A backup that cannot be used. */
export class BackupError extends QuorateError {
  constructor(code: keyof typeof REMEDIES, file: string, reason: string, cause?: unknown) {
    super(code, `Cannot use the backup ${file}: ${reason}. ${REMEDIES[code]}`, { fields: { file }, cause });
  }
}
