import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import { TreeCache } from '../cache/tree-cache.js';
import type { NodeValue } from '../cache/node-value.js';
import { RecipeStateError } from '../errors.js';
import { KeptNode } from '../nodes/kept-node.js';
import { checkSingleSegment, nameOf } from '../nodes/znode-name.js';

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

const MEMBERSHIP_OPTIONS: OptionNames<GroupMembershipOptions> = { id: true, data: true };

/**
 * Who is in a group, and being in it.
 *
 * Layout: `<path>/<id>`, ephemeral, its data the member's own: that of Curator's GroupMember.
 *
 * - latent: made, takes no part;
 * - started: the own registration (if there is an `id`) is made, and made true again after every loss of the session
 *   and every deletion by somebody else; the members are followed. While suspended, and until the next session has
 *   read them anew, the members last known stay readable. If the id is taken by another session — most likely the own
 *   older one — the registration waits until that is gone;
 * - closed: the registration is taken back; final.
 *
 * Guarantees: a member whose session ended leaves for everybody, after at most its session timeout; joins and leaves
 * are told in an order that agrees with `members`; a member that left and came back unseen is told as both.
 */
export class GroupMembership implements AsyncDisposable {
  readonly path: string;
  readonly id: string | null;
  readonly #cache: TreeCache;
  readonly #registration: KeptNode | null;

  /** `path` is the group's own znode, absolute. Throws `InvalidNameError` for an id that is no znode name. */
  constructor(client: Client, path: string, options: GroupMembershipOptions = {}) {
    checkOptions('GroupMembership', options, MEMBERSHIP_OPTIONS);
    this.path = path;
    this.id = options.id ?? null;
    if (this.id !== null) checkSingleSegment(this.id, 'group member');
    this.#cache = new TreeCache(client, path, { maxDepth: 1 });
    this.#registration =
      this.id === null
        ? null
        : new KeptNode(client, {
            path: `${path}/${this.id}`,
            data: options.data ?? null,
            isSequential: false,
          });
  }

  get state(): 'latent' | 'started' | 'failed' | 'closed' {
    return this.#cache.state;
  }

  /** Whether the own znode is known to be there now. */
  get isRegistered(): boolean {
    return this.#registration?.isThere ?? false;
  }

  /** Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    if (this.state !== 'latent') throw this.#misuse('start');
    this.#cache.start();
    this.#registration?.start();
    return this;
  }

  /** Resolves once the members are known and this one (if it has an id) is among them. Rejects if the servers refuse. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('GroupMembership.ready', options, SIGNAL_OPTION);
    const changes = this.#cache.changes(options);
    try {
      await this.#registration?.ready(options);
      await this.#cache.ready(options);
      while (!this.#seesItself()) {
        const { done } = await changes.next();
        options.signal?.throwIfAborted();
        if (done === true) throw this.#misuse('ready');
      }
    } finally {
      await changes.return?.();
    }
  }

  /** By id, as last known; kept through an outage. */
  members(): ReadonlyMap<string, GroupMember> {
    const members = new Map<string, GroupMember>();
    for (const id of this.#cache.children(this.path)) {
      const node = this.#cache.get(`${this.path}/${id}`);
      if (node !== null) members.set(id, memberOf(node));
    }
    return members;
  }

  /** Replaces the own data. Resolves when the servers have it. Throws `RecipeStateError` if this process only looks on. */
  async setData(data: Uint8Array | string | null): Promise<void> {
    if (this.#registration === null) throw this.#misuse('setData without an id');
    await this.#registration.setData(data);
  }

  /** Joins, changes and leaves from this call on; those found by the first reading are joins. */
  changes(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterableIterator<MembershipEvent> {
    checkOptions('GroupMembership.changes', options, SIGNAL_OPTION);
    return this.#tell(this.#cache.changes(options), this.members());
  }

  async close(): Promise<void> {
    await Promise.all([this.#registration?.close(), this.#cache.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #seesItself(): boolean {
    return this.id === null || this.#cache.get(`${this.path}/${this.id}`) !== null;
  }

  async *#tell(
    changes: AsyncIterable<unknown>,
    known: ReadonlyMap<string, GroupMember>,
  ): AsyncGenerator<MembershipEvent, void, undefined> {
    for await (const _ of changes) {
      const members = this.members();
      const before = known;
      known = members;
      yield* differences(before, members);
    }
  }

  #misuse(attempted: string): RecipeStateError {
    return new RecipeStateError('GroupMembership', this.path, this.state, attempted);
  }
}

function memberOf(node: NodeValue): GroupMember {
  return {
    id: nameOf(node.path),
    data: node.data,
    sessionId: node.stat.ephemeralOwner,
    joinedAt: node.stat.czxid,
  };
}

function* differences(
  before: ReadonlyMap<string, GroupMember>,
  after: ReadonlyMap<string, GroupMember>,
): Generator<MembershipEvent> {
  for (const member of before.values()) {
    if (after.get(member.id)?.joinedAt !== member.joinedAt) yield { type: 'left', member };
  }
  for (const member of after.values()) {
    const previous = before.get(member.id);
    if (previous?.joinedAt !== member.joinedAt) yield { type: 'joined', member };
    else if (previous.data !== member.data) yield { type: 'changed', member };
  }
}
