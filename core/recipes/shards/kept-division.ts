import type { Client } from '../../client/index.js';
import type { Timer } from '../../runtime/index.js';
import { NodeCache } from '../cache/node-cache.js';
import { RecipeStateError } from '../errors.js';
import type { GroupMembership } from '../membership/group-membership.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, isClosed, isTransient, pause } from '../waiting/failure.js';
import { decodeDivision, encodeDivision, nextDivision, type Division } from './shard-division.js';

export interface KeptDivisionOptions {
  readonly path: string;
  /** Of this member. */
  readonly id: string;
  readonly shards: number;
  /** How long the place of a member that is away is kept, from when it is seen to be missing. */
  readonly rejoinMs: number;
  /** Told after every change of the division, and of the members. */
  readonly onChange: () => void;
}

/**
 * The division of shards that all members go by: one persistent znode, so that the next division can be the one that moves
 * least. It is arranged by the member that has been there longest, and written only over the version that was read: two that
 * both believe to be that member cannot undo each other unseen, and whoever it is looks again after every change. What is
 * written here is a plan and guards nothing; who owns a shard is told by its lock.
 */
export class KeptDivision {
  readonly #client: Client;
  readonly #group: GroupMembership;
  readonly #options: KeptDivisionOptions;
  readonly #cache: NodeCache;
  readonly #closing = new AbortController();
  /** Since when those are missing that have a place. Only while this member arranges. */
  readonly #missing = new Map<string, number>();
  #timer: Timer | null = null;
  #arranging: Promise<void> | null = null;
  #isStale = false;

  constructor(client: Client, group: GroupMembership, options: KeptDivisionOptions) {
    this.#client = client;
    this.#group = group;
    this.#options = options;
    this.#cache = new NodeCache(client, options.path);
  }

  /** As last known; null if there is none yet. */
  get current(): Division | null {
    return decodeDivision(this.#cache.current?.data ?? null);
  }

  /** Follows members and division until it is closed or the client is. Rejects if they cannot be followed. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    const follow = async (changes: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of changes) this.#look();
    };
    const following = [follow(this.#group.changes({ signal })), follow(this.#cache.changes({ signal }))];
    this.#cache.start();
    try {
      await Promise.all(following);
    } finally {
      await this.close();
    }
  }

  /** Resolves when this member has a place in the division. */
  async ready(options: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const changes = this.#cache.changes(options);
    try {
      while (!this.#hasPlace()) {
        const { done } = await changes.next();
        options.signal?.throwIfAborted();
        if (done === true)
          throw new RecipeStateError('ShardAssignment', this.#options.path, 'closed', 'ready');
      }
    } finally {
      await changes.return?.();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    await Promise.all([this.#cache.close(), this.#arranging]);
  }

  #hasPlace(): boolean {
    return this.current?.members.includes(this.#options.id) ?? false;
  }

  #look(): void {
    this.#options.onChange();
    this.#isStale = true;
    this.#arranging ??= this.#arrange().finally(() => (this.#arranging = null));
  }

  /** Rejects never. */
  async #arrange(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; this.#isStale && !signal.aborted;) {
      this.#isStale = false;
      try {
        await orAborted(this.#arrangeOnce(), signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted || isClosed(this.#client, error)) return;
        const { path } = this.#options;
        if (!isTransient(error) && !hasCode(error, 'SESSION_EXPIRED') && !isOvertaken(error))
          this.#client.logger.error('shards cannot be divided anew, and will be tried again', {
            path,
            error,
          });
        this.#isStale = true;
        await pause(this.#client, failures++, signal).catch(() => undefined);
      }
    }
  }

  async #arrangeOnce(): Promise<void> {
    this.#timer?.cancel();
    if (!this.#isFirst()) return this.#missing.clear();
    const { path, shards } = this.#options;
    const { division, version } = await this.#read();
    const present = [...this.#group.members().keys()];
    if (!this.#isFirst()) return;
    const awaited = this.#awaited(division, present);
    const next = encodeDivision(nextDivision(division, { present, awaited, shards }));
    if (division !== null && next === encodeDivision(division)) return;
    if (version === null) await this.#client.create(path, next, { createParents: true });
    else await this.#client.setData(path, next, { version });
  }

  /** Whether this member has been there longest. */
  #isFirst(): boolean {
    const members = [...this.#group.members().values()];
    const first = members.reduce((one, other) => (other.joinedAt < one.joinedAt ? other : one), members[0]!);
    return first?.id === this.#options.id;
  }

  /** Those whose places are still kept for them; looks again when the time of the first of them is over. */
  #awaited(division: Division | null, present: readonly string[]): ReadonlySet<string> {
    const { clock } = this.#client;
    const { rejoinMs } = this.#options;
    const now = clock.now();
    const away = (division?.members ?? []).filter((id) => !present.includes(id));
    for (const id of this.#missing.keys()) if (!away.includes(id)) this.#missing.delete(id);
    for (const id of away) if (!this.#missing.has(id)) this.#missing.set(id, now);
    const rests = [...this.#missing].map(([id, since]) => ({ id, restMs: since + rejoinMs - now }));
    const awaited = rests.filter(({ restMs }) => restMs > 0);
    const nextMs = Math.min(...awaited.map(({ restMs }) => restMs));
    if (awaited.length > 0) this.#timer = clock.setTimer(nextMs, () => this.#look());
    return new Set(awaited.map(({ id }) => id));
  }

  async #read(): Promise<{ readonly division: Division | null; readonly version: number | null }> {
    try {
      const { data, stat } = await this.#client.getData(this.#options.path);
      return { division: decodeDivision(data), version: stat.version };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return { division: null, version: null };
      throw error;
    }
  }
}

/** Somebody else wrote, or removed, what was read. */
function isOvertaken(error: unknown): boolean {
  return ['BAD_VERSION', 'NODE_EXISTS', 'NO_NODE'].some((code) => hasCode(error, code));
}
