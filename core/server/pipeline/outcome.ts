import type { Applied, DigestPoint, WriteRequest } from '../../data/index.js';
import type { Id } from '../../protocol/index.js';

/** A write of a client, or the creation of a session, whose `sessionId` is 0: the leader chooses its id. */
export interface ClientWrite {
  readonly sessionId: bigint;
  /** The client's number of the request. */
  readonly cxid: number;
  /** The identities that the session had when the request was sent. */
  readonly identities: readonly Id[];
  readonly request: WriteRequest;
}

/**
 * Why the pipeline does not carry out a request.
 * - moved: the session belongs to another member by now (ZooKeeper's SESSIONMOVED);
 * - fault: it could not be prepared;
 * - readOnly: there is no leader with a quorum, and this member serves reads only;
 * - notServing: this member serves no clients.
 */
export type RefusalReason = 'moved' | 'fault' | 'readOnly' | 'notServing';

/** A committed entry that was applied. The object is valid until the next entry is applied. */
export interface AppliedEntry<Token> {
  readonly applied: Applied;
  /** Token of the request that asked for it; null if no client of this member did. */
  readonly token: Token | null;
}

/** Outcomes that belong to no committed entry. */
export type Outcome<Token> =
  /** The leader does not carry out the request. */
  | { readonly type: 'refused'; readonly token: Token; readonly reason: RefusalReason }
  /** Timeout of the session in milliseconds: only this member speaks for it from now on. Null if the session is over. */
  | { readonly type: 'resumed'; readonly token: Token; readonly timeoutMs: number | null }
  /** `zxid` covers everything that was acknowledged to anybody before `confirm`. */
  | { readonly type: 'confirmed'; readonly token: Token | null; readonly zxid: bigint }
  /** The session belongs to another member from now on. */
  | { readonly type: 'moved'; readonly sessionId: bigint }
  /** A quorum has the digest `expected`, and this member has `own` at the same zxid. */
  | { readonly type: 'stateDiffers'; readonly own: DigestPoint; readonly expected: DigestPoint };
