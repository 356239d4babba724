import {
  decodeTxn,
  type EnsembleIdentity,
  InvariantError,
  SnapshotReader,
  StateMachine,
} from '../../data/index.js';
import { MarshallingError } from '../../protocol/index.js';
import type { EpochTable, Storage } from '../../storage/index.js';
import { type Entry, isEpochMarker, type RestoredHistory } from '../../zab/index.js';

export interface Recovered {
  /** The state at the snapshot; what stands behind it in the log is applied when it is known to be committed. */
  readonly machine: StateMachine;
  readonly epochs: EpochTable;
  readonly history: RestoredHistory;
  /** The ensemble that the data are known to belong to; null if they are of none that has an id. */
  readonly identity: EnsembleIdentity | null;
  /** Id of the data directory. */
  readonly directoryId: string;
  /** The data directory held nothing. */
  readonly isNew: boolean;
}

/**
 * Reads back what a member had made durable. A snapshot counts only if its tree adds up to the digest that was written with it.
 * Rejects with what the storage found wrong.
 */
export async function recover(storage: Storage): Promise<Recovered> {
  let restored: StateMachine | null = null;
  const { acceptedEpoch, rejoining, mayHold, snapshot, entries, directoryId, isNew } = await storage.recover(
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
    identity: machine.identity ?? agreedIdentity(entries),
    directoryId,
    isNew,
  };
}

/** The state that a directory holds with all entries of its log, whether they are known to be committed or not. */
export function recoveredState({ machine, history }: Recovered): StateMachine {
  for (const { zxid, payload } of history.entries) {
    if (payload.length === 0) machine.advanceTo(zxid);
    else machine.apply(zxid, decodeTxn(payload));
  }
  return machine;
}

/**
 * The id in a marker of the log, if a transaction stands behind it: a leader proposes none before a quorum has the marker. Without one
 * the marker may be that of a founding that failed, which another one has replaced or will replace.
 */
export function agreedIdentity(entries: readonly Entry[]): EnsembleIdentity | null {
  let identity: EnsembleIdentity | null = null;
  for (const { zxid, payload } of entries) {
    if (!isEpochMarker(zxid)) {
      if (identity !== null) return identity;
      continue;
    }
    const outcome = payload.length === 0 ? null : decodeTxn(payload).outcome;
    if (outcome?.type === 'identify') identity = { id: outcome.ensembleId, since: zxid };
  }
  return null;
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
