import type { ErrorCode, Stat } from '../protocol/index.js';
import type { Change } from './change.js';
import type { QuotaBreach } from './quota.js';
import type { Txn } from './transaction.js';

/** What applying a transaction did. */
export interface Applied {
  readonly txn: Txn;
  readonly zxid: bigint;
  /** Result code for the header of the reply; ok for a multi even if it failed, for then its parts say so. */
  readonly error: ErrorCode;
  /** In the order in which watches have to hear of them. */
  readonly changes: readonly Change[];
  /** Soft quota limits that this left exceeded: to be logged, nothing was refused for them. */
  readonly breaches: readonly QuotaBreach[];
  /** Of a multi: the stat that each part left, where its reply tells one. Null for everything else. */
  readonly partStats: readonly (Stat | null)[] | null;
}
