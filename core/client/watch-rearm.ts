import type { SetWatches2Request } from '../protocol/index.js';
import type { Chroot } from './chroot.js';
import type { WatchLists } from './watch-registry.js';
import type { StreamRegistration } from './watch-streams.js';

/** Path text in one packet: ZooKeeper's own client keeps to the same, to stay well below what a server accepts. */
const BATCH_BYTES = 128 * 1024;
/** A path's length field. */
const LENGTH_BYTES = 4;
/** No UTF-16 code unit takes more in UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;

type ListName = keyof Omit<SetWatches2Request, 'relativeZxid'>;

interface Entry {
  readonly list: ListName;
  readonly path: string;
  readonly registration: StreamRegistration | null;
}

/** One `setWatches2`, or `setWatches` if there is nothing persistent in it, with the registrations that its answer confirms. */
export interface RearmBatch {
  readonly body: SetWatches2Request;
  readonly registrations: readonly StreamRegistration[];
}

/**
 * What a new connection has to be told so that no watch is missed: everything that changed after `relativeZxid` fires
 * at once, everything else stands again.
 */
export function rearmBatches(
  lists: WatchLists,
  registrations: readonly StreamRegistration[],
  { chroot, relativeZxid }: { readonly chroot: Chroot; readonly relativeZxid: bigint },
): RearmBatch[] {
  const oneShot = (['dataWatches', 'existWatches', 'childWatches'] as const).flatMap((list) =>
    lists[list].map((path) => ({ list, path: chroot.toServer(path), registration: null })),
  );
  const standing = registrations.map((registration) => ({
    list: registration.isRecursive ? ('persistentRecursiveWatches' as const) : ('persistentWatches' as const),
    path: chroot.toServer(registration.path),
    registration,
  }));
  return inBatches([...oneShot, ...standing]).map((entries) => toBatch(entries, relativeZxid));
}

function inBatches(entries: readonly Entry[]): Entry[][] {
  const batches: Entry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const cost = LENGTH_BYTES + entry.path.length * UTF8_BYTES_PER_UNIT;
    if (bytes + cost > BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(entry);
    bytes += cost;
  }
  return batches;
}

function toBatch(entries: readonly Entry[], relativeZxid: bigint): RearmBatch {
  const pathsOf = (list: ListName): string[] =>
    entries.filter((entry) => entry.list === list).map(({ path }) => path);
  return {
    body: {
      relativeZxid,
      dataWatches: pathsOf('dataWatches'),
      existWatches: pathsOf('existWatches'),
      childWatches: pathsOf('childWatches'),
      persistentWatches: pathsOf('persistentWatches'),
      persistentRecursiveWatches: pathsOf('persistentRecursiveWatches'),
    },
    registrations: entries.flatMap(({ registration }) => registration ?? []),
  };
}
