import type { Client, Session, WatchNotice } from '../../client/index.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, persist } from '../waiting/failure.js';

type NodeRead = Awaited<ReturnType<Client['getData']>>;

/** A znode as read, and the promise of its next change. */
export interface WatchedRead extends NodeRead {
  /** Resolves once, never rejects. */
  readonly changed: Promise<WatchNotice>;
  /** Takes the watch back. To be called by whoever stops waiting for the change. */
  cancel(): void;
}

/**
 * Reads a znode and watches it; null if there is none, and then nothing is watched (which is why this is not
 * `exists`: that would leave a watch on a path that nobody ever uses again).
 */
export async function readAndWatch(
  client: Client,
  path: string,
  options: { readonly session: Session; readonly signals?: readonly AbortSignal[] },
): Promise<WatchedRead | null> {
  const { session, signals = [] } = options;
  let notify!: (notice: WatchNotice) => void;
  const changed = new Promise<WatchNotice>((resolve) => (notify = resolve));
  const watch = (notice: WatchNotice): void => notify(notice);
  const cancel = (): void => void client.unwatch(path, watch).catch(() => undefined);
  const reading = persist(
    client,
    () => client.getData(path, { watch, session: session.epoch }),
    ...signals,
  ).then(
    (read): WatchedRead => ({ ...read, changed, cancel }),
    (error: unknown) => {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    },
  );
  try {
    return await orAborted(reading, ...signals);
  } catch (error) {
    void reading.then(
      (read) => read?.cancel(),
      () => undefined,
    );
    throw error;
  }
}
