/** Histories as a member's storage has them, and snapshots of what they add up to, without a member. */
import { StateMachine } from '../../../core/data/index.js';
import type { LogEntry } from '../../../core/storage/index.js';
import { bytes, EnsembleOfOne } from '../data/ensemble-of-one.js';

const MARKER = 0x1_0000_0000n;

/** A machine together with the entries that lead to it, of epoch 1. */
export class MachineHistory {
  readonly #one: EnsembleOfOne;
  #written = 0;

  constructor() {
    const machine = new StateMachine();
    machine.advanceTo(MARKER);
    this.#one = new EnsembleOfOne({}, machine);
  }

  get machine(): StateMachine {
    return this.#one.machine;
  }

  /** The entries that open a session, at first, and that create so many znodes. */
  creates(count: number, data: string): readonly LogEntry[] {
    const from = this.#one.log.length;
    const marker = from === 0 ? [{ zxid: MARKER, payload: new Uint8Array(0) }] : [];
    if (from === 0) this.#one.openSession(0x100n);
    for (let made = 0; made < count; made++) this.#one.create(`/n${this.#written++}`, { data: bytes(data) });
    return [...marker, ...this.#one.log.slice(from)];
  }

  /** What a snapshot of the machine as it is now holds. */
  snapshot(): Buffer {
    const snapshot = this.machine.snapshot();
    const slices: Uint8Array[] = [];
    for (let slice = snapshot.next(1 << 20); slice !== null; slice = snapshot.next(1 << 20))
      slices.push(slice);
    return Buffer.concat(slices);
  }

  /** The same as a flipped bit in memory leaves it: the data of one znode contradicts the digest. */
  flippedSnapshot(data: string): Buffer {
    const flipped = this.snapshot();
    const at = flipped.indexOf(data);
    flipped[at] = flipped[at]! ^ 1;
    return flipped;
  }
}
