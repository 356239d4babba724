import type { StateMachine } from '../../../data/index.js';
import type { Acl } from '../../../protocol/index.js';
import { type BackupSummary, readBackup } from './backup-reader.js';

/** A znode as a backup has it. */
export interface BackupZnode {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** Null: it has none; *container*: it goes with its last child; else milliseconds to live. */
  readonly lifetime: number | 'container' | null;
}

/**
 * The znodes at and below `root` in a backup, parents before children, ephemeral ones left out. `znodes` is null if there is no such
 * znode. Rejects with `BackupError`.
 */
export async function znodesOfBackup(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  root: string,
): Promise<{ readonly summary: BackupSummary; readonly znodes: Iterable<BackupZnode> | null }> {
  const { summary, machine } = await readBackup(pieces, name);
  const isThere = machine.state.tree.find(root) !== undefined;
  return { summary, znodes: isThere ? walk(machine, root) : null };
}

function* walk({ state }: StateMachine, root: string): Generator<BackupZnode, void> {
  const waiting = [state.tree.find(root)!];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.ephemeralOwner !== 0n) continue;
    const { path, data, acl, ttlMs } = node;
    yield { path, data, acl, lifetime: ttlMs === 0 ? null : ttlMs < 0 ? 'container' : ttlMs };
    for (let child = node.lastChild; child !== null; child = child.previousSibling) waiting.push(child);
  }
}
