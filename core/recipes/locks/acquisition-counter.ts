import type { Client, MultiError, Operation, OperationResult } from '../../client/index.js';
import type { HoldGuard } from '../contention/hold.js';
import type { OwnNode } from '../nodes/own-node.js';
import { parentOf } from '../nodes/znode-name.js';
import { hasCode, repeatIdempotent } from '../waiting/failure.js';

/** Counters of one root; locks whose paths have the same hash share one. */
const COUNTERS = 64;
/** Name of the directory of the counters, below the first segment of a lock's path. */
const COUNTERS_NAME = '_counters_';

/**
 * The znode whose version grows with every acquisition of the lock at `path`, in the same transaction. A znode of a fixed name looks
 * the same whoever made it, and servers compare no creation zxid; this version tells a transaction whether the lock may have
 * been acquired by another since.
 */
export function counterOf(path: string): string {
  const second = path.indexOf('/', 1);
  const root = second < 0 ? '' : path.slice(0, second);
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  const number = ((hash >>> 0) % COUNTERS).toString(16).padStart(2, '0');
  return `${root}/${COUNTERS_NAME}/${number}`;
}

/** Creates an ephemeral znode at `path` and counts that, or neither. Rejects with a `MultiError` by `NODE_EXISTS` if it is taken. */
export async function createCounted(
  client: Client,
  path: string,
  { data, session }: { readonly data: string; readonly session: number },
): Promise<{ readonly czxid: bigint | null; readonly version: number }> {
  const counter = counterOf(path);
  for (;;) {
    try {
      const [created, counted] = await client.multi(
        [
          { type: 'create', path, data, mode: 'ephemeral' },
          { type: 'setData', path: counter, data: null },
        ],
        { session },
      );
      return { czxid: czxidOf(created), version: versionOf(counted) };
    } catch (error) {
      if (!hasCode(error, 'MULTI_FAILED')) throw error;
      const { index, cause } = error as MultiError;
      if (!hasCode(cause, 'NO_NODE')) throw error;
      if (index === 0) await ensure(client, parentOf(path), { mode: 'container', session });
      else await ensure(client, counter, { mode: 'persistent', session });
    }
  }
}

/** What tells a transaction whether the own znode of a counted lock is still there. */
export class CountedGuard implements HoldGuard {
  readonly #client: Client;
  readonly #node: OwnNode;
  readonly #counter: string;
  /** Of the counter, when the own znode is known to have been there. */
  #version: number | null;

  /** `version` is null if it is not known, since the reply was lost. */
  constructor(client: Client, node: OwnNode, version: number | null) {
    this.#client = client;
    this.#node = node;
    this.#counter = counterOf(node.path);
    this.#version = version;
  }

  async checks(wereRefused: boolean): Promise<readonly Operation[] | null> {
    // Another lock of the same counter was acquired, or this one.
    if (wereRefused || this.#version === null) this.#version = await this.#look();
    if (this.#version === null) return null;
    return [
      { type: 'check', path: this.#node.path },
      { type: 'check', path: this.#counter, version: this.#version },
    ];
  }

  /** The counter first: whoever acquires the lock after the second read raises it. */
  async #look(): Promise<number | null> {
    const { path, czxid, session } = this.#node;
    const options = { session: session.epoch };
    const read = async (): Promise<number | null> => {
      await this.#client.sync(path, options);
      const counter = await this.#client.exists(this.#counter, options);
      const stat = await this.#client.exists(path, options);
      return stat?.czxid === czxid ? (counter?.version ?? null) : null;
    };
    return repeatIdempotent(this.#client, read, session.signal);
  }
}

function czxidOf(result: OperationResult | undefined): bigint | null {
  return result?.type === 'create' ? (result.stat?.czxid ?? null) : null;
}

function versionOf(result: OperationResult | undefined): number {
  if (result?.type !== 'setData') throw new TypeError('a multi was answered out of order');
  return result.stat.version;
}

async function ensure(
  client: Client,
  path: string,
  { mode, session }: { readonly mode: 'container' | 'persistent'; readonly session: number },
): Promise<void> {
  try {
    await client.create(path, null, { mode, createParents: true, session });
  } catch (error) {
    if (!hasCode(error, 'NODE_EXISTS')) throw error;
  }
}
