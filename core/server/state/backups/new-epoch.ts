import { QuorateError } from '../../../runtime/index.js';

/**
 * By how much the epoch is raised for a new ensemble. No ensemble has so many elections between a backup and its restore, so that the new
 * epoch is above every epoch that a client of the old ensemble can have seen: its zxids and fences do not repeat, and a client that has
 * seen the newest of them is accepted.
 */
export const EPOCH_STEP = 2 ** 20;
const EPOCH_MAX = 0x7fffffff;
/** So many steps are left for those that nothing else can help. */
const RESERVED_STEPS = 16;

/**
 * The epoch of a new ensemble that continues one of `epoch`, as the `restoration`-th one that does so from the same state. Throws
 * `EPOCHS_USED_UP` when few are left.
 */
export function newEpoch(epoch: number, restoration: number): number {
  const next = epoch + restoration * EPOCH_STEP;
  if (next <= EPOCH_MAX - RESERVED_STEPS * EPOCH_STEP) return next;
  throw new QuorateError(
    'EPOCHS_USED_UP',
    `Cannot begin epoch ${next}: an epoch has 31 bits, each new ensemble from a state uses 2^20, and few are left. Found an ensemble ` +
      'with empty directories, and move the znodes there with quorate export and quorate import: its epochs begin at 1.',
    { fields: { epoch: next } },
  );
}
