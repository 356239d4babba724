import { OpCode, type Request } from '../../core/protocol/index.js';
import type { Dice } from './dice.js';
import { LARGE, LARGE_BYTES, REGISTERS, ROOT } from './places.js';

export const MOST_IN_BURST = 100;
const MANY_WATCHES = 3000;

/** What a client sends in one piece. */
export interface Burst {
  readonly requests: readonly Request[];
  /** The client does not read for a while, so that replies gather at the member. */
  readonly isUnread: boolean;
}

/** How a client writes what no other write writes. */
export interface Writes {
  value(length: number): Uint8Array;
  setData(path: string): Request;
}

/** Small reads and writes among what takes a member long, or fills an output: each has to stand at its place all the same. */
export function heavyBurst(dice: Dice, writes: Writes, lastZxid: bigint): Burst {
  // More than the system's buffers hold.
  const isUnread = dice.chance(0.25);
  const requests = Array.from({ length: MOST_IN_BURST }, (): Request => {
    const path = dice.of(REGISTERS);
    switch (dice.weighted({ large: isUnread ? 15 : 1, read: 10, write: 8, sync: 1, writeLarge: 0.2 })) {
      case 'large':
        return { op: OpCode.getData, body: { path: LARGE, watch: dice.chance(0.1) } };
      case 'read':
        return { op: OpCode.getData, body: { path, watch: dice.chance(0.3) } };
      case 'write':
        return writes.setData(path);
      case 'sync':
        return { op: OpCode.sync, body: { path: ROOT } };
      default:
        return {
          op: OpCode.setData,
          body: { path: LARGE, data: writes.value(LARGE_BYTES), version: -1 },
        };
    }
  });
  if (dice.chance(0.3)) requests[dice.below(MOST_IN_BURST)] = manyWatches(lastZxid);
  return { requests, isUnread };
}

/** Most of them wait for what never comes. */
function manyWatches(relativeZxid: bigint): Request {
  const existWatches = Array.from({ length: MANY_WATCHES }, (_, index) => `${ROOT}/never/${index}`);
  return {
    op: OpCode.setWatches,
    body: { relativeZxid, dataWatches: [...REGISTERS], existWatches, childWatches: [] },
  };
}
