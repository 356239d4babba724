import { ErrorCode } from '../../protocol/index.js';
import { isUsableSessionId } from '../stored-owner.js';
import type { CloseSessionOutcome, CreateSessionOutcome, ErrorOutcome } from '../transaction.js';
import { type Preparation, refuse } from './preparation.js';

const MAX_TIMEOUT_MS = 0x7fff_ffff;

/** The session can be written with from here on, though its create is not applied yet. */
export function prepareCreateSession(
  { overlay, sessionId }: Preparation,
  timeoutMs: number,
): CreateSessionOutcome | ErrorOutcome {
  const isValid = Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS;
  if (!isValid || !isUsableSessionId(sessionId)) return refuse(ErrorCode.badArguments);
  overlay.sessions.open(sessionId, overlay.zxid);
  return { type: 'createSession', timeoutMs };
}

/**
 * In one step the session's ephemerals are collected, pending ones included, and the session stops being open, so
 * that none can slip in behind. Closing a session that is gone or going is allowed and changes nothing.
 */
export function prepareCloseSession({ overlay, sessionId }: Preparation): CloseSessionOutcome {
  const paths = overlay.deleteEphemeralsOf(sessionId);
  overlay.sessions.close(sessionId, overlay.zxid);
  return { type: 'closeSession', paths };
}
