import type { Client, Created, Session } from '../../client/index.js';
import { parseSequence } from '../contention/sequence.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, isClosed, isTransient, pause } from '../waiting/failure.js';
import { abandon, type OwnNode } from './own-node.js';
import { nameOf, parentOf } from './znode-name.js';

/** An ephemeral znode that is to be made, its missing parents with it. */
export interface OwnCreation {
  /** Of a sequential one: without its number. Its last segment is used by no other call. */
  readonly path: string;
  readonly data: Uint8Array | string | null;
  readonly isSequential: boolean;
  readonly session: Session;
}

/**
 * Creates an own znode, whatever the connection does to the request: a try of unknown outcome is looked up before the next
 * one, so there is never a second znode. If one of `signals` aborts before, or the session ends, it rejects with that
 * signal's reason at once, and what may have been made is removed in the background.
 */
export async function createOwnNode(
  client: Client,
  creation: OwnCreation,
  ...signals: readonly AbortSignal[]
): Promise<OwnNode> {
  const { session } = creation;
  const creating = createOnce(client, creation, signals);
  try {
    return await orAborted(creating, ...signals, session.signal);
  } catch (error) {
    void creating.then(
      (node) => abandon(client, node),
      () => undefined,
    );
    throw error;
  }
}

/** Begins no other try when nobody waits for it any more, but always finds out what became of the last one. */
async function createOnce(
  client: Client,
  creation: OwnCreation,
  signals: readonly AbortSignal[],
): Promise<OwnNode> {
  const { path, data, isSequential, session } = creation;
  for (let attempt = 0; ; attempt++) {
    try {
      const created = attempt > 0 ? await findOwnNode(client, creation) : null;
      if (created !== null) return ownNode(created, session);
      for (const signal of signals) signal.throwIfAborted();
      const made = await client.create(path, data, {
        mode: isSequential ? 'ephemeral-sequential' : 'ephemeral',
        uniqueName: true,
        createParents: true,
        session: session.epoch,
      });
      return ownNode(made, session);
    } catch (error) {
      if (!isTransient(error) || isClosed(client, error)) throw error;
      await pause(client, attempt, session.signal);
    }
  }
}

/** The znode that a create of unknown outcome made in `session`; null if it made none, and will make none any more. */
export async function findOwnNode(
  client: Client,
  { path, isSequential, session }: Omit<OwnCreation, 'data'>,
): Promise<Created | null> {
  const parent = parentOf(path);
  // A server that lags behind must not hide what the lost reply was about.
  await client.sync(parent, { session: session.epoch });
  const names = isSequential ? await childrenOf(client, parent, session) : [nameOf(path)];
  for (const name of names) {
    if (isSequential && !isNumbered(name, nameOf(path))) continue;
    const found = parent === '/' ? `/${name}` : `${parent}/${name}`;
    const stat = await client.exists(found, { session: session.epoch });
    if (stat?.ephemeralOwner === session.id) return { path: found, stat };
  }
  return null;
}

export function ownNode(created: Created, session: Session): OwnNode {
  return { path: created.path, czxid: created.stat.czxid, session };
}

function isNumbered(name: string, beginning: string): boolean {
  return name.startsWith(beginning) && parseSequence(name.slice(beginning.length)) !== null;
}

async function childrenOf(client: Client, parent: string, session: Session): Promise<readonly string[]> {
  try {
    return (await client.getChildren(parent, { session: session.epoch })).children;
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return [];
    throw error;
  }
}
