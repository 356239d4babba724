import { epochOf } from '../zab/index.js';
import type { EpochTable } from '../storage/index.js';

/** The epochs of what has been applied, for the snapshots: each with its last zxid. */
export class EpochHistory {
  #past: { readonly epoch: number; readonly lastZxid: bigint }[];
  #epoch: number;

  /** `table`: the epochs of the snapshot that the member began with. */
  constructor(table: EpochTable) {
    this.#past = table.slice(0, -1);
    this.#epoch = table.at(-1)?.epoch ?? 0;
  }

  /** The entry with this zxid opens an epoch; `lastZxid` is the last applied one before it. */
  open(zxid: bigint, lastZxid: bigint): void {
    if (lastZxid > 0n) this.#past.push({ epoch: this.#epoch, lastZxid });
    this.#epoch = epochOf(zxid);
  }

  /** The table of a history that ends with `lastZxid`, which must be the last one applied. */
  upTo(lastZxid: bigint): EpochTable {
    return lastZxid === 0n ? [] : [...this.#past, { epoch: this.#epoch, lastZxid }];
  }
}
