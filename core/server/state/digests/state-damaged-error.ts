import type { RecountResult } from '../../../data/index.js';
import { QuorateError } from '../../../runtime/index.js';

/** The state in memory is not what the applied transactions add up to; the member has to start again from its disk. */
export class StateDamagedError extends QuorateError {
  constructor(member: number, { zxid, kept, counted, path }: RecountResult) {
    super(
      'STATE_DAMAGED',
      `The state of member ${member} in memory at zxid 0x${zxid.toString(16)} has the digest 0x${counted.toString(16)} instead of ` +
        `0x${kept.toString(16)}${path === null ? '' : `; the znode ${path} has changed without a write`}. The log and the ` +
        `snapshots on disk were verified when they were written: start the member again, and it recovers from them. If this ` +
        `happens again, the memory of this machine cannot be trusted: replace it`,
      { fields: { member, zxid, kept, counted, path } },
    );
  }
}
