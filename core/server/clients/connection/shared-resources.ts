import type { Clock, Logger } from '../../../runtime/index.js';
import type { Traffic } from '../../metrics/index.js';
import type { ReplicatedState } from '../../state/index.js';
import type { OutputLimits } from './connection-output.js';
import type { ReceivedBytes } from './received-bytes.js';
import type { WaitingOutput } from './waiting-output.js';
import type { WriteShares } from './write-shares.js';
import type { WriterPool } from './writer-pool.js';

export interface ConnectionLimits extends OutputLimits {
  readonly maxPacketBytes: number;
  readonly maxOutstandingRequests: number;
}

/** What all connections of a member share. */
export interface SharedResources {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ReplicatedState;
  readonly writers: WriterPool;
  /** What all connections together have received and sent. */
  readonly traffic: Traffic;
  readonly receivedBytes: ReceivedBytes;
  readonly waitingOutput: WaitingOutput;
  readonly writeShares: WriteShares;
}
