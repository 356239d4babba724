/**
 * What a failed request means to a recipe. The client's error codes sort into four: the session is over, the
 * client is closed, the connection got in the way (worth another try), and everything else, which is the
 * servers' answer and is passed on.
 */
import {
  ConnectionLossError,
  NotReadOnlyError,
  OperationTimeoutError,
  OutcomeUnknownError,
  RequestQueueFullError,
  RequestTimeoutError,
  SessionMovedError,
  ThrottledOpError,
  type Client,
  type Session,
} from '../../client/index.js';
import { QuorateError } from '../../runtime/index.js';
import { delay } from './abort.js';

/** By code, so that an error of another copy of this library is known too. */
const TRANSIENT: ReadonlySet<string> = new Set(
  [
    ConnectionLossError,
    NotReadOnlyError,
    OperationTimeoutError,
    OutcomeUnknownError,
    RequestQueueFullError,
    RequestTimeoutError,
    SessionMovedError,
    ThrottledOpError,
  ].map(({ facts }) => facts.code),
);

/** First pause before a request is repeated, and the longest; doubled in between, with jitter. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2_000;

export function hasCode(error: unknown, code: string): error is QuorateError {
  return error instanceof QuorateError && error.code === code;
}

/** The connection got in the way; the outcome may be unknown. */
export function isTransient(error: unknown): boolean {
  return error instanceof QuorateError && TRANSIENT.has(error.code);
}

/** Whether `session` is known to be over, by its signal or by what the servers answered. */
export function isSessionOver(error: unknown, session: Session): boolean {
  return session.signal.aborted || hasCode(error, 'SESSION_EXPIRED');
}

export function isClosed(client: Client, error: unknown): boolean {
  return client.state === 'closed' || hasCode(error, 'CLOSED');
}

/** Waits before try number `attempt` + 1 (the first is 0). */
export function pause(client: Client, attempt: number, ...signals: readonly AbortSignal[]): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return delay(client.clock, longest * (0.5 + client.random.next() / 2), ...signals);
}

/**
 * Repeats `request` as long as only the connection gets in its way. It must be harmless to repeat. Rejects
 * with any other failure, or with the reason of the first signal that aborts between two tries.
 */
export async function repeatIdempotent<T>(
  client: Client,
  request: () => Promise<T>,
  ...signals: readonly AbortSignal[]
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (!isTransient(error) || isClosed(client, error)) throw error;
      await pause(client, attempt, ...signals);
    }
  }
}

/**
 * As `repeatIdempotent`, and also over the end of the session: what was not carried out in it is asked for in the next one. For
 * requests that are not about what a session holds.
 */
export async function repeatIdempotentAcrossSessions<T>(
  client: Client,
  request: () => Promise<T>,
  ...signals: readonly AbortSignal[]
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await repeatIdempotent(client, request, ...signals);
    } catch (error) {
      if (!hasCode(error, 'SESSION_EXPIRED')) throw error;
      await pause(client, attempt, ...signals);
    }
  }
}

/** A read that is about no session in particular: `repeatIdempotentAcrossSessions` until the caller's signal aborts. */
export function repeatRead<T>(
  client: Client,
  options: { readonly signal?: AbortSignal | undefined },
  request: () => Promise<T>,
): Promise<T> {
  return repeatIdempotentAcrossSessions(
    client,
    request,
    ...(options.signal === undefined ? [] : [options.signal]),
  );
}

/**
 * Waits for a connection and gives the session. `previous`, a session known to be over, is not given again:
 * the servers may say so before the client does.
 */
export async function nextSession(
  client: Client,
  previous: Session | null,
  ...signals: readonly AbortSignal[]
): Promise<Session> {
  for (let attempt = 0; ; attempt++) {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort(signals.find((signal) => signal.aborted)?.reason);
    for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
    try {
      for (const signal of signals) signal.throwIfAborted();
      await client.connected({ signal: waiting.signal });
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', stop);
    }
    const session = client.session;
    if (!session.signal.aborted && session.epoch !== previous?.epoch) return session;
    await pause(client, attempt, ...signals);
  }
}
