import type { Client, Session } from '../../client/index.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, isClosed, isSessionOver, isTransient, pause } from '../waiting/failure.js';

/** A znode that this process created: told from a later one of the same path by its creation zxid. */
export interface OwnNode {
  readonly path: string;
  readonly czxid: bigint;
  readonly session: Session;
}

/** Names that no later znode can have: the servers give no number twice in a directory, and a uuid is drawn once. */
const IS_UNIQUE = /(?:\d{10}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;

/**
 * Deletes an own ephemeral znode. Resolves when it is gone: deleted, or its session over and the znode with
 * it. Keeps trying through connection losses as long as the session lives. It deletes nothing that another has created
 * since: where a later znode can have the same path, and before a try after one of unknown outcome, it looks first
 * whether the znode is still the own one.
 */
export async function removeOwnNode(client: Client, node: OwnNode): Promise<void> {
  const { path, session } = node;
  for (let attempt = 0; !session.signal.aborted; attempt++) {
    try {
      const mayBeAnothers = attempt > 0 || !IS_UNIQUE.test(path);
      if (mayBeAnothers && !(await isStillThere(client, node))) return;
      await orAborted(client.delete(path, { session: session.epoch }), session.signal);
      return;
    } catch (error) {
      if (hasCode(error, 'NO_NODE') || isSessionOver(error, session) || isClosed(client, error)) return;
      if (!isTransient(error)) throw error;
      await pause(client, attempt, session.signal).catch(() => undefined);
    }
  }
}

async function isStillThere(client: Client, { path, czxid, session }: OwnNode): Promise<boolean> {
  // A server that lags behind would show the own znode where there is another's by now, which would be deleted instead.
  await orAborted(client.sync(path, { session: session.epoch }), session.signal);
  const stat = await orAborted(client.exists(path, { session: session.epoch }), session.signal);
  return stat?.czxid === czxid;
}

/** Removes in the background what nobody waits for any more; a refusal is logged. */
export function abandon(client: Client, node: OwnNode): void {
  removeOwnNode(client, node).catch((error: unknown) => {
    client.logger.warn('an abandoned znode could not be removed; it goes with its session', {
      path: node.path,
      error,
    });
  });
}
