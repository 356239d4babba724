import type { Client, MultiError, Session } from '../../client/index.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, isClosed, isTransient, pause, repeatIdempotent } from '../waiting/failure.js';
import { abandon, type OwnNode } from './own-node.js';

/** An ephemeral znode of a name that others want too: whoever creates it has it. */
export interface ContendedCreation {
  readonly path: string;
  /** Unique to this call, and part of the data: it tells the own znode from that of another user of this session. */
  readonly token: string;
  readonly session: Session;
  /** The token in the data of a znode of this kind; null if it has none. */
  readonly tokenOf: (data: Uint8Array | null) => string | null;
  /** One try: its creation zxid, or null if the server does not tell it. Rejects with `NODE_EXISTS`, or a multi that failed by it. */
  readonly create: () => Promise<bigint | null>;
}

/**
 * Creates a contended znode; null if another's is there. A try of unknown outcome is decided by the token of what is found
 * behind a `sync`. If one of `signals` aborts before, or the session ends, it rejects with that signal's reason at once,
 * and what may have been made is removed in the background.
 */
export async function createContended(
  client: Client,
  creation: ContendedCreation,
  ...signals: readonly AbortSignal[]
): Promise<OwnNode | null> {
  const creating = createOnce(client, creation, signals);
  try {
    return await orAborted(creating, ...signals, creation.session.signal);
  } catch (error) {
    void creating.then(
      (node) => node !== null && abandon(client, node),
      () => undefined,
    );
    throw error;
  }
}

/** Begins no other try when nobody waits for it any more, but always finds out what became of the last one. */
async function createOnce(
  client: Client,
  creation: ContendedCreation,
  signals: readonly AbortSignal[],
): Promise<OwnNode | null> {
  const { path, session } = creation;
  for (let attempt = 0; ; attempt++) {
    try {
      const czxid = await creation.create();
      return czxid === null ? await findOwn(client, creation) : { path, czxid, session };
    } catch (error) {
      if (isTaken(error)) return attempt === 0 ? null : await findOwn(client, creation);
      if (!isTransient(error) || isClosed(client, error)) throw error;
      await pause(client, attempt, session.signal);
      if (signals.some((signal) => signal.aborted)) return await findOwn(client, creation);
    }
  }
}

/** The znode that is there now, if it is the one that this call made. */
async function findOwn(
  client: Client,
  { path, token, session, tokenOf }: ContendedCreation,
): Promise<OwnNode | null> {
  const read = async () => {
    // A server that lags behind must not hide what the lost reply was about.
    await client.sync(path, { session: session.epoch });
    return client.getData(path, { session: session.epoch });
  };
  try {
    const { data, stat } = await repeatIdempotent(client, read, session.signal);
    const isOwn = stat.ephemeralOwner === session.id && tokenOf(data) === token;
    return isOwn ? { path, czxid: stat.czxid, session } : null;
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  if (hasCode(error, 'NODE_EXISTS')) return true;
  return hasCode(error, 'MULTI_FAILED') && hasCode((error as MultiError).cause, 'NODE_EXISTS');
}
