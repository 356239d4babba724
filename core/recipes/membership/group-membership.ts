import type { Client } from '../../client/index.js';

export interface GroupMembershipOptions {
  /** Name of this member's znode, unique in the group; without it this process only looks on. */
  readonly id?: string | undefined;
  readonly data?: Uint8Array | string | undefined;
}

export interface GroupMember {
  readonly id: string;
  readonly data: Uint8Array | null;
  readonly sessionId: bigint;
  /** zxid of the registration: another one under the same id is a new arrival. */
  readonly joinedAt: bigint;
}

export type MembershipEvent =
  | { readonly type: 'joined'; readonly member: GroupMember }
  | { readonly type: 'changed'; readonly member: GroupMember }
  | { readonly type: 'left'; readonly member: GroupMember };

export declare class GroupMembership implements AsyncDisposable {
  readonly path: string;
  readonly id: string | null;
  /** `path` is the group's own znode, absolute. */
  constructor(client: Client, path: string, options?: GroupMembershipOptions);
  get state(): 'latent' | 'started' | 'closed';
  /** Whether the own znode is known to be there now. */
  get isRegistered(): boolean;
  start(): this;
  /** Resolves once the members are known and this one (if it has an id) is among them. */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** As last known; kept through an outage. */
  members(): ReadonlyMap<string, GroupMember>;
  setData(data: Uint8Array | string | null): Promise<void>;
  /** Joins, changes and leaves from now on. */
  changes(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<MembershipEvent>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
