import type { EpochTable } from './storage.js';

/** The epoch that a zxid belongs to: its high 32 bits. */
export function epochOf(zxid: bigint): number {
  return Number(zxid >> 32n);
}

/** Builds the table of a history from that of its snapshot and the zxids behind it, in order. */
export class EpochTableBuilder {
  readonly #rows: { epoch: number; lastZxid: bigint }[];

  constructor(start: EpochTable = []) {
    this.#rows = start.map((row) => ({ ...row }));
  }

  add(zxid: bigint): void {
    const last = this.#rows.at(-1);
    const epoch = epochOf(zxid);
    if (last?.epoch === epoch) last.lastZxid = zxid;
    else this.#rows.push({ epoch, lastZxid: zxid });
  }

  table(): EpochTable {
    return this.#rows.map((row) => ({ ...row }));
  }
}
