import { QuorateError } from '../core/runtime/index.js';
import type { ConnectTarget } from './engine.js';

/** The error of a start for which no server answered in time; `cause` is why the last attempt failed. */
export function startTimeout(
  connect: ConnectTarget,
  connectTimeoutMs: number,
  cause: Error | null,
): QuorateError {
  const servers = typeof connect === 'string' ? `no server of ${connect}` : 'no server';
  return new QuorateError(
    'START_TIMEOUT',
    `Cannot start the application: ${servers} answered within ${connectTimeoutMs} ms ` +
      `(${cause?.message ?? 'no attempt has failed yet'}). Check the address and that a quorum of the servers runs, ` +
      'or set lastKnownGood to start without a server.',
    { fields: { connectTimeoutMs }, cause: cause ?? undefined },
  );
}
