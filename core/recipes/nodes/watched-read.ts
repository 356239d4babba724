import type { Client, Session, WatchNotice } from '../../client/index.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, repeatIdempotent } from '../waiting/failure.js';

type NodeRead = Awaited<ReturnType<Client['getData']>>;
type Listing = Awaited<ReturnType<Client['getChildren']>>;

/** The promise of the next change of what was read. */
interface Watched {
  /** Resolves once, never rejects. */
  readonly changed: Promise<WatchNotice>;
  /** Takes the watch back. To be called by whoever stops waiting for the change. */
  cancel(): void;
}

/** A znode as read, and the promise of its next change. */
export interface WatchedRead extends NodeRead, Watched {}

/** The children of a znode as read, and the promise of their next change. */
export interface WatchedListing extends Listing, Watched {}

interface WatchedReadOptions {
  readonly session: Session;
  readonly signals?: readonly AbortSignal[];
}

/**
 * Reads a znode and watches it; null if there is none, and then nothing is watched (which is why this is not
 * `exists`: that would leave a watch on a path that nobody ever uses again).
 */
export async function readAndWatch(
  client: Client,
  path: string,
  options: WatchedReadOptions,
): Promise<WatchedRead | null> {
  try {
    return await watched(client, path, options, (read) => client.getData(path, read));
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

/** Reads the names of the children of a znode and watches them. */
export function listAndWatch(
  client: Client,
  path: string,
  options: WatchedReadOptions,
): Promise<WatchedListing> {
  return watched(client, path, options, (read) => client.getChildren(path, read));
}

/** If it rejects, nothing stays watched. */
async function watched<Read>(
  client: Client,
  path: string,
  { session, signals = [] }: WatchedReadOptions,
  read: (options: {
    readonly watch: (notice: WatchNotice) => void;
    readonly session: number;
  }) => Promise<Read>,
): Promise<Read & Watched> {
  let notify!: (notice: WatchNotice) => void;
  const changed = new Promise<WatchNotice>((resolve) => (notify = resolve));
  const watch = (notice: WatchNotice): void => notify(notice);
  const cancel = (): void => void client.unwatch(path, watch).catch(() => undefined);
  const reading = repeatIdempotent(client, () => read({ watch, session: session.epoch }), ...signals);
  try {
    return { ...(await orAborted(reading, ...signals)), changed, cancel };
  } catch (error) {
    void reading.then(cancel, () => undefined);
    throw error;
  }
}
