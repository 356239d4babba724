import {
  MultiError,
  type Client,
  type Operation,
  type OperationResult,
  type Stat,
} from '../../client/index.js';
import type { Hold, HoldGuard } from '../contention/hold.js';
import { HoldLostError } from '../errors.js';
import { hasCode, repeatIdempotent } from '../waiting/failure.js';

/**
 * Carries out `operations`, all or none, only if `hold` is still held when the servers come to them: every lock of the hold is
 * checked in the same transaction. So not even a holder that was paused for an hour can write late.
 *
 * Returns the results of `operations`.
 * @throws HoldLostError if it is not held any more; nothing was done.
 * @throws MultiError with the index among `operations` of the one that failed; nothing was done.
 * @throws OutcomeUnknownError if the connection broke meanwhile: done or not.
 */
export async function multiFenced(
  client: Client,
  hold: Hold,
  operations: readonly Operation[],
): Promise<readonly OperationResult[]> {
  const guards = hold.guards ?? (hold.paths ?? [hold.path]).map(pathGuard);
  const { epoch } = client.session;
  for (let refused: HoldGuard | null = null; ;) {
    if (hold.signal.aborted)
      throw new HoldLostError(hold.path, 'it was over before the write', hold.signal.reason);
    try {
      const checks = await checksOf(hold, guards, refused);
      const all = [...checks.map(({ operation }) => operation), ...operations];
      try {
        return (await client.multi(all, { session: epoch })).slice(checks.length);
      } catch (error) {
        if (!(error instanceof MultiError)) throw error;
        if (error.index >= checks.length)
          throw new MultiError({ index: error.index - checks.length, cause: error.cause });
        refused = checks[error.index]!.guard;
      }
    } catch (error) {
      if (hasCode(error, 'SESSION_EXPIRED')) throw new HoldLostError(hold.path, 'its session is over', error);
      throw error;
    }
  }
}

async function checksOf(
  hold: Hold,
  guards: readonly HoldGuard[],
  refused: HoldGuard | null,
): Promise<readonly { readonly guard: HoldGuard; readonly operation: Operation }[]> {
  const checks = guards.map(async (guard) => {
    const operations = await guard.checks(guard === refused);
    if (operations === null) throw new HoldLostError(hold.path, 'its znode is gone, or of another holder');
    return operations.map((operation) => ({ guard, operation }));
  });
  return (await Promise.all(checks)).flat();
}

/** Of a znode whose name no other can have. */
export function pathGuard(path: string): HoldGuard {
  const checks: readonly Operation[] = [{ type: 'check', path }];
  return { checks: (wereRefused) => Promise.resolve(wereRefused ? null : checks) };
}

/**
 * Writes a znode, made if it is missing, only if `hold` is still held. What broke with the connection is written
 * again as long as it is held, which changes nothing: nobody else may write.
 * @throws HoldLostError if it is not held any more.
 */
export async function writeFenced(
  client: Client,
  hold: Hold,
  path: string,
  data: Uint8Array | string | null,
): Promise<Stat> {
  for (;;) {
    const stat =
      (await attempt(client, hold, { type: 'setData', path, data }, 'NO_NODE')) ??
      (await attempt(client, hold, { type: 'create', path, data }, 'NODE_EXISTS'));
    if (stat !== null) return stat;
  }
}

/** Null if it failed with `expected`. */
async function attempt(
  client: Client,
  hold: Hold,
  operation: Operation,
  expected: 'NO_NODE' | 'NODE_EXISTS',
): Promise<Stat | null> {
  try {
    const { path } = operation;
    const [result] = await repeatIdempotent(
      client,
      () => multiFenced(client, hold, [operation]),
      hold.signal,
    );
    if (result?.type !== 'setData' && result?.type !== 'create')
      throw new TypeError(`a ${operation.type} was answered as ${result?.type}`);
    // Inside a transaction Apache ZooKeeper tells only the path of what it creates.
    return result.stat ?? (await repeatIdempotent(client, () => client.exists(path), hold.signal));
  } catch (error) {
    if (error instanceof MultiError && hasCode(error.cause, expected)) return null;
    throw error;
  }
}
