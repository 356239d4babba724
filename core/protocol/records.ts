/**
 * The records that requests and replies are made of. Longs that are ids are `bigint`;
 * times are milliseconds since 1970 as `number`. A null string arrives as `''` wherever the protocol only
 * tests for emptiness, because some clients write the empty string as null.
 */
import type { ErrorCode } from './error-code.js';

/** Who: an authentication scheme and an identity within it. */
export interface Id {
  readonly scheme: string;
  readonly id: string;
}

/** One entry of an access control list: permission bits (see `Permission`) granted to an identity. */
export interface Acl {
  readonly perms: number;
  readonly id: Id;
}

export const Permission = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

/** Everybody may do everything. */
export const OPEN_ACL: readonly Acl[] = [{ perms: Permission.all, id: { scheme: 'world', id: 'anyone' } }];

/** What a server tells of a znode beside its data. */
export interface Stat {
  /** zxid of the transaction that created the znode. */
  readonly czxid: bigint;
  /** zxid of the last change of its data. */
  readonly mzxid: bigint;
  readonly ctime: number;
  readonly mtime: number;
  /** Changes of its data, of its children, of its ACL; signed 32 bit, wrapping. */
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** The owning session of an ephemeral znode; 0n for every other kind, containers and TTL included. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  /** zxid of the last create or delete of a direct child. */
  readonly pzxid: bigint;
}

/** `flags` of the create operations. */
export const CreateMode = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6,
} as const;
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

export const WatchEventType = { created: 1, deleted: 2, dataChanged: 3, childrenChanged: 4 } as const;
export type WatchEventType = (typeof WatchEventType)[keyof typeof WatchEventType];

/** Modes of `addWatch`. */
export const AddWatchMode = { persistent: 0, persistentRecursive: 1 } as const;

/** `type` of `checkWatches` and `removeWatches`. */
export const WatcherType = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 } as const;

/** A notification: what happened to which path. `state` on the wire is always SyncConnected. */
export interface WatchEvent {
  readonly type: WatchEventType;
  readonly path: string;
}

/**
 * `protocolVersion` of a connect request whose sender wants to know what the server accepts. A member answers with the largest
 * packet that it takes as `protocolVersion`, and with the id of its ensemble and its features behind `readOnly`; ZooKeeper ignores the field and answers 0.
 */
export const ASKS_FOR_LIMIT = 0x51756f72;

/** What a server can do beyond ZooKeeper: bits of `ConnectResponse.features`. */
export const ServerFeature = { childrenPages: 1 } as const;

/** First packet of a connection. */
export interface ConnectRequest {
  readonly protocolVersion: number;
  readonly lastZxidSeen: bigint;
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  /** Null when the client did not send the trailing byte; the answer must then leave it out too. */
  readonly readOnly: boolean | null;
}

/** Answer to it. `timeoutMs` 0 and `sessionId` 0n together say "expired". */
export interface ConnectResponse {
  readonly protocolVersion: number;
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  /** Always exactly 16 bytes. */
  readonly password: Uint8Array;
  readonly readOnly: boolean | null;
  /** Sent only to clients that ask for it, and only by an ensemble that has one: 32 hexadecimal digits. Default: none. */
  readonly ensembleId?: string | null;
  /** Sent to the same clients: bits of `ServerFeature`. Default: none. */
  readonly features?: number;
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: ErrorCode;
}

/** xids with a meaning of their own. */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export interface ClientInfo {
  readonly scheme: string;
  readonly user: string;
}
