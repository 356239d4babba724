import type { DigestPoint } from '../../../data/index.js';
import { QuorateError } from '../../../runtime/index.js';

/** The state of a member differs from a quorum's again, after a snapshot of the leader had replaced it. */
export class StateDivergedError extends QuorateError {
  constructor(member: number, own: DigestPoint, expected: DigestPoint) {
    super(
      'STATE_DIVERGED',
      `The state of member ${member} differs from a quorum's at zxid 0x${own.zxid.toString(16)} for the second time (digest ` +
        `0x${own.digest.toString(16)} instead of 0x${expected.digest.toString(16)}), though a snapshot of the leader had replaced ` +
        `it: the memory or the disk of this machine cannot be trusted. Check both, or start the member with an empty data ` +
        `directory on another machine`,
      { fields: { member, zxid: own.zxid, digest: own.digest, expected: expected.digest } },
    );
  }
}
