import { SnapshotReader, StateMachine } from '../data/index.js';
import type { EpochTable, Storage } from '../storage/index.js';
import type { RestoredHistory } from '../zab/index.js';

export interface Recovered {
  /** The state at the snapshot; what stands behind it in the log is applied when it is known to be committed. */
  readonly machine: StateMachine;
  readonly epochs: EpochTable;
  readonly history: RestoredHistory;
  /** The data directory held nothing. */
  readonly isNew: boolean;
}

/** Reads back what a member had made durable. Rejects with what the storage found wrong. */
export async function recover(storage: Storage): Promise<Recovered> {
  const { acceptedEpoch, rejoining, snapshot, entries, isNew } = await storage.recover();
  let machine = new StateMachine();
  if (snapshot !== null) {
    const reader = new SnapshotReader();
    for await (const piece of snapshot.read()) reader.push(piece);
    machine = reader.finish();
  }
  const epochs = snapshot?.epochs ?? [];
  const snapshotZxid = snapshot?.zxid ?? 0n;
  return { machine, epochs, history: { acceptedEpoch, rejoining, snapshotZxid, epochs, entries }, isNew };
}
