import type { LogEntry } from '../../../core/storage/index.js';
import { check, hex } from './referee.js';

/** Keeps for all members together what stands behind what in their logs. */
export class LogChain {
  readonly #entries = new Map<bigint, { readonly previous: bigint; readonly payload: Uint8Array }>();

  /** Log matching: an entry has the same bytes, and the same entry before it, in every log that it is in. */
  appended(member: string, { zxid, payload }: LogEntry, previous: bigint): void {
    check(zxid > previous, () => `${member} has ${hex(zxid)} behind ${hex(previous)}`);
    const known = this.#entries.get(zxid);
    if (known === undefined) {
      this.#entries.set(zxid, { previous, payload });
      return;
    }
    check(
      known.previous === previous,
      () => `${member} has ${hex(zxid)} behind ${hex(previous)}, others behind ${hex(known.previous)}`,
    );
    check(isSameBytes(known.payload, payload), () => `${member} has other bytes at ${hex(zxid)} than others`);
  }
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}
