import type { Acl, Stat } from '../protocol/index.js';
import type { Clock, Logger, Random } from '../runtime/index.js';

/**
 * The state of the connection, in one word.
 * - connecting: no session yet, and a server is being looked for;
 * - connected: a server answers, the session lives;
 * - suspended: no server is reachable; the session may still live;
 * - lost: the session is over, told by a server or by this client's own monotonic timer, whichever came
 *   first. A new session is opened by itself, after which the state is connected again with a higher epoch;
 * - closed: by `close`; final.
 */
export type ConnectionState = 'connecting' | 'connected' | 'suspended' | 'lost' | 'closed';

/**
 * One session. A client has one at a time. After a loss it keeps the lost one, whose signal has aborted, until a server
 * has opened the next, with `epoch` one higher.
 */
export interface Session {
  /** 0n until the first server has answered. */
  readonly id: bigint;
  /** 1 for the first session of this client. */
  readonly epoch: number;
  /** As negotiated, milliseconds. */
  readonly timeoutMs: number;
  /** Id of the ensemble, 32 hexadecimal digits; null until a server has answered, and for ensembles without one, as ZooKeeper's. */
  readonly ensembleId: string | null;
  /**
   * Aborts when this session is lost or closed, with the error as its reason. It aborts before the servers can
   * have given away what the session held, because the local timer counts from when the last answered packet was sent.
   */
  readonly signal: AbortSignal;
}

export type CreateModeName =
  | 'persistent'
  | 'ephemeral'
  | 'persistent-sequential'
  | 'ephemeral-sequential'
  | 'container'
  | 'persistent-ttl'
  | 'persistent-sequential-ttl';

/**
 * One-shot watch. Called at most once: with the event, or with `sessionLost` if the session ended before one came, be
 * it lost or closed. Called before any answer that shows the change. What it throws is logged.
 */
export type Watch = (event: WatchNotice) => void;

/** `zxid` is that of the change; -1n for one that was missed while the client was away, and from Apache ZooKeeper before 3.9. */
export type WatchNotice =
  | {
      readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
      readonly path: string;
      readonly zxid: bigint;
    }
  | { readonly type: 'sessionLost'; readonly path: string };

/**
 * What a persistent watch yields. `armed` comes first, and again after every reconnection, in every new session, and in
 * place of what a slow consumer could not take: events may have been missed before it, so read anew. `zxid` as in a notice.
 */
export type WatchStreamEvent =
  | {
      readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
      readonly path: string;
      readonly zxid: bigint;
    }
  | { readonly type: 'armed'; readonly path: string };

/** A persistent watch, for one consumer. */
export interface WatchStream extends AsyncIterable<WatchStreamEvent> {
  /**
   * What has come and was not handed out yet, without waiting: for a consumer that would rather look at all there is
   * than at one after the other. Nothing is handed out twice.
   */
  take(): readonly WatchStreamEvent[];
}

export interface RequestOptions {
  /** Stops waiting and rejects with the signal's reason; a request already sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /** Epoch of the session that this request must run in; in any other it rejects with `SessionExpiredError` unsent. */
  readonly session?: number | undefined;
}

export interface ReadOptions extends RequestOptions {
  /** Registered exactly if the read succeeds (for `exists` also if the znode is missing). */
  readonly watch?: Watch | undefined;
}

export interface ChildrenPageOptions extends ReadOptions {
  /** `next` of the page before. Default: the first page. */
  readonly after?: string | undefined;
  /** Names of the page at most. Default 10 000, and no more than that. */
  readonly limit?: number | undefined;
}

/** A page of the names of a znode's children. */
export interface ChildrenPage {
  readonly children: readonly string[];
  readonly stat: Stat;
  /** `after` of the next page; null if this is the last one. */
  readonly next: string | null;
}

export interface CreateOptions extends RequestOptions {
  readonly mode?: CreateModeName | undefined;
  readonly acl?: readonly Acl[] | undefined;
  /** Milliseconds; only with the TTL modes. */
  readonly ttlMs?: number | undefined;
  /**
   * The last segment of the path (before the sequence) is unique to this call. If the reply is lost the client
   * looks among the parent's children for it after it has reconnected in the same session, and creates it again
   * only if it is not there: no `OutcomeUnknownError`, and no second znode as long as nobody removes the first one before
   * it is looked for. What others consume and remove is to carry an id that they keep (`RunLedger.trigger` does so).
   */
  readonly uniqueName?: boolean | undefined;
  /** Creates missing parents as containers first. */
  readonly createParents?: boolean | undefined;
}

export interface Created {
  readonly path: string;
  readonly stat: Stat;
}

/** Operations of a multi. */
export type Operation =
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data?: Uint8Array | string | null;
      readonly mode?: CreateModeName;
      readonly acl?: readonly Acl[];
      readonly ttlMs?: number;
    }
  | { readonly type: 'delete'; readonly path: string; readonly version?: number }
  | {
      readonly type: 'setData';
      readonly path: string;
      readonly data: Uint8Array | string | null;
      readonly version?: number;
    }
  | { readonly type: 'check'; readonly path: string; readonly version?: number };

export type OperationResult =
  /** `stat` is null where the server does not tell it inside a multi: Apache ZooKeeper does only for containers and TTL. */
  | { readonly type: 'create'; readonly path: string; readonly stat: Stat | null }
  | { readonly type: 'delete' }
  | { readonly type: 'setData'; readonly stat: Stat }
  | { readonly type: 'check' };

/**
 * A session client. Paths are absolute below the chroot of the connect string; strings given as data are
 * encoded as UTF-8, bytes must not be changed until the call has settled, bytes received are the caller's.
 *
 * Requests run in the order in which they were made. While there is no connection they wait; when the session is lost
 * they reject with `SessionExpiredError`, not carried out. A read whose connection broke is sent again; so is a write
 * that had not left. A write that had left rejects with `OutcomeUnknownError`. More requests than may wait reject with
 * `RequestQueueFullError`, all of them with `ClosedError` once the client is closed. Every failure is a `ClientError`, apart
 * from the reason of a signal.
 */
export interface Client extends AsyncDisposable {
  readonly state: ConnectionState;
  readonly session: Session;
  /** Why the last attempt to reach a server failed; null when connected, or before an attempt has failed. */
  readonly connectError: Error | null;
  /**
   * Highest zxid seen in any reply: what this client has seen includes everything up to it. This client does not
   * connect to a server that is behind it, or behind the zxid of a watch event that the client has got, in this
   * session or a later one, so reads never go back in time. But when the session is over and for two session timeouts the servers have
   * said that they are behind, because an older copy of their data was put back, the client logs an error and begins anew with what they have.
   */
  readonly lastZxid: bigint;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;

  /** Resolves when connected; rejects when closed or aborted. */
  connected(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Calls `listener` synchronously at every change of state, with the session it concerns; returns how to stop it.
   * What it throws is logged.
   */
  onState(listener: (state: ConnectionState, session: Session) => void): () => void;
  /** Every change of state from now on, the present one first; ends after `closed`. A slow consumer misses the oldest. */
  states(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<ConnectionState>;

  create(path: string, data?: Uint8Array | string | null, options?: CreateOptions): Promise<Created>;
  /** `version` -1 (the default) means any. */
  delete(path: string, options?: RequestOptions & { readonly version?: number }): Promise<void>;
  /** Null when there is no such znode. */
  exists(path: string, options?: ReadOptions): Promise<Stat | null>;
  getData(
    path: string,
    options?: ReadOptions,
  ): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }>;
  setData(
    path: string,
    data: Uint8Array | string | null,
    options?: RequestOptions & { readonly version?: number },
  ): Promise<Stat>;
  /** Names, not paths, sorted. */
  getChildren(
    path: string,
    options?: ReadOptions,
  ): Promise<{ readonly children: readonly string[]; readonly stat: Stat }>;
  /**
   * A page of the children's names, for lists that are too large for one reply (`ReplyTooLargeError`). Pages follow in the order in which
   * the children were created. A child that is there all the time is in exactly one of them; one that is created or removed between the
   * first page and the last may be missing or not. A page has `limit` names at most, 10 000 if that is left out or larger, and ends at
   * about 1 MiB; children that one transaction created are all in one page, which may take it beyond both. `after` is `next` of the page
   * before, on any member and in any session of this ensemble. `watch` is a watch of the children, from the state of this page on.
   *
   * ZooKeeper's servers have no pages: there the first page is the whole list, sorted by name, and `after` is refused with
   * `UnimplementedError`. Rejects with `BadArgumentsError` on an `after` that is no `next`.
   */
  getChildrenPage(path: string, options?: ChildrenPageOptions): Promise<ChildrenPage>;
  getAcl(
    path: string,
    options?: RequestOptions,
  ): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }>;
  setAcl(
    path: string,
    acl: readonly Acl[],
    options?: RequestOptions & { readonly version?: number },
  ): Promise<Stat>;
  /** All or nothing. Rejects with `MultiError` that names the failing operation. */
  multi(operations: readonly Operation[], options?: RequestOptions): Promise<readonly OperationResult[]>;
  /** After it, reads on this client reflect every write that had completed anywhere before the call. */
  sync(path: string, options?: RequestOptions): Promise<void>;
  getEphemerals(prefix?: string, options?: RequestOptions): Promise<readonly string[]>;
  /** Number of all descendants. */
  countDescendants(path: string, options?: RequestOptions): Promise<number>;
  whoAmI(options?: RequestOptions): Promise<readonly { readonly scheme: string; readonly user: string }[]>;
  /**
   * Adds an identity to this client, now and after every reconnection. Rejects with `AuthFailedError`, and forgets it,
   * if the server refuses it; if that happens on a later connection, the client closes: it must not go on with less.
   */
  addAuth(scheme: string, auth: Uint8Array | string, options?: RequestOptions): Promise<void>;

  /**
   * A persistent watch as a stream for one consumer, from the moment of the call; ends when the consumer leaves,
   * `signal` aborts or the client closes. Bounded: a slow consumer gets one `armed` instead of a backlog beyond the
   * limit. Recursive: everything at and below the path, without `childrenChanged`. Throws `BadArgumentsError`.
   */
  watch(
    path: string,
    options?: { readonly recursive?: boolean; readonly signal?: AbortSignal | undefined },
  ): WatchStream;
  /** Takes a one-shot watch back; also on the server if nobody else waits there. */
  unwatch(path: string, watch: Watch): Promise<void>;

  /**
   * Ends the session, so that its ephemerals go at once, and the connection. From the call on the state is closed and
   * the session's signal has aborted; what had been sent is still answered. Idempotent, never rejects.
   */
  close(): Promise<void>;
}
