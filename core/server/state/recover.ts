import { InvariantError, SnapshotReader, StateMachine } from '../../data/index.js';
import { MarshallingError } from '../../protocol/index.js';
import type { EpochTable, Storage } from '../../storage/index.js';
import type { RestoredHistory } from '../../zab/index.js';

export interface Recovered {
  /** The state at the snapshot; what stands behind it in the log is applied when it is known to be committed. */
  readonly machine: StateMachine;
  readonly epochs: EpochTable;
  readonly history: RestoredHistory;
  /** The data directory held nothing. */
  readonly isNew: boolean;
}

/**
 * Reads back what a member had made durable. A snapshot counts only if its tree adds up to the digest that was written with it.
 * Rejects with what the storage found wrong.
 */
export async function recover(storage: Storage): Promise<Recovered> {
  let restored: StateMachine | null = null;
  const { acceptedEpoch, rejoining, mayHold, snapshot, entries, isNew } = await storage.recover(
    async (content, header) => {
      restored = await machineOf(content, header.zxid);
    },
  );
  const machine = snapshot === null ? new StateMachine() : present(restored, snapshot.zxid);
  const epochs = snapshot?.epochs ?? [];
  const snapshotZxid = snapshot?.zxid ?? 0n;
  return {
    machine,
    epochs,
    history: { acceptedEpoch, rejoining, mayHold, snapshotZxid, epochs, entries },
    isNew,
  };
}

function present(restored: StateMachine | null, zxid: bigint): StateMachine {
  if (restored?.lastZxid === zxid) return restored;
  throw new InvariantError('the storage has not shown the snapshot that it recovered');
}

/** The machine that a snapshot's content holds. Rejects if it is not whole, contradicts its digest, or is of another zxid. */
export async function machineOf(content: AsyncIterable<Uint8Array>, zxid: bigint): Promise<StateMachine> {
  const reader = new SnapshotReader();
  for await (const piece of content) reader.push(piece);
  const machine = reader.finish();
  if (machine.lastZxid === zxid) return machine;
  throw new MarshallingError(`a snapshot that holds the tree of 0x${machine.lastZxid.toString(16)}`);
}
