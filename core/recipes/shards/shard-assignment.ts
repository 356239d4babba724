import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import { InvalidShardsError, RecipeStateError, ShardMovedError } from '../errors.js';
import type { Hold } from '../contention/hold.js';
import type { RecipeState } from '../leader/leader-latch.js';
import { TryLock, type LockOwner } from '../locks/try-lock.js';
import { GroupMembership } from '../membership/group-membership.js';
import { pathBelow } from '../nodes/znode-name.js';
import { aborted } from '../waiting/abort.js';
import { repeatRead, hasCode, isClosed, pause } from '../waiting/failure.js';
import { isWithinTaskOf, runOwned } from '../waiting/own-task.js';
import { KeptDivision } from './kept-division.js';

/** Every member weighs every shard. */
const MOST_SHARDS = 4096;

export interface ShardAssignmentOptions {
  /** How many, from 0 up; the same for every member, up to 4096. */
  readonly shards: number;
  /** Parent of all assignments; `/shards` by default. */
  readonly root?: string | undefined;
  /** Names this member, unique among them; a random UUID by default. */
  readonly id?: string | undefined;
  /** Told to the other members; see `members`. */
  readonly data?: Uint8Array | string | undefined;
  /**
   * How long the shards of a member that left, or whose session ended, are kept for it, in milliseconds: nobody owns them
   * until it is back under the same id, or another comes in its place, or the time is over. 0 by default: they are given to
   * the others at once. The same for every member; somewhat more than a restart takes spares a rolling restart all moves.
   */
  readonly rejoinMs?: number | undefined;
}

/** A shard that this member owns. */
export interface OwnedShard {
  readonly shard: number;
  /** Grows from owner to owner of this shard: whatever the task writes to can refuse an older one. */
  readonly fence: bigint;
  /**
   * Aborts when the shard is to be let go: with a `ShardMovedError`, or the reason of `close`, when the next owner waits
   * until the task has ended; with a `HoldLostError` when the session is lost and the next one waits for nothing.
   */
  readonly signal: AbortSignal;
  /**
   * Aborts when the shard is no longer this member's, before another can have it; with `signal` if the session is lost, later
   * if the task is still finishing what is in hand when that happens. Nothing may be written from then on.
   */
  readonly lost: AbortSignal;
}

/** A shard that is to be kept by this member: being waited for, or owned. */
interface Kept {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

const SHARD_OPTIONS: OptionNames<ShardAssignmentOptions> = {
  shards: true,
  root: true,
  id: true,
  data: true,
  rejoinMs: true,
};

/**
 * A fixed set of shards, divided over the members that are there: each runs one task for each of its shards.
 *
 * Layout: `/shards/<name>/members/<id>` as `GroupMembership` has it, `/shards/<name>/owners/<shard>` as `TryLock` has it,
 * `/shards/<name>/division`, persistent: who is to have what.
 *
 * - latent → started, by `start` → closed, by `close` or with the client; closed is final.
 * - The member that has been there longest writes the division: as even as can be, with the fewest moves from the one before.
 *   Every member lets go of what is another's, and waits for what is its own. So a shard has one that waits for it, not a herd.
 * - A task that returns leaves the shard owned. One that throws is logged, the shard released and taken again after a pause.
 *
 * Guarantees: a shard never has two owners, whatever the members believe: it is owned by who has its znode, under the rules
 * of `Hold`. An owner that is to let go is asked by its `signal`, and the next one begins when its task has ended. In one
 * member two tasks of the same shard never overlap, even over a loss of the session. As soon as all see the same members
 * nobody has two shards more than another, those counted whose shards are kept for them. A member that comes or goes moves no
 * shard that need not move.
 */
export class ShardAssignment implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  readonly shards: number;
  readonly #client: Client;
  readonly #task: (owned: OwnedShard) => unknown;
  readonly #group: GroupMembership;
  readonly #division: KeptDivision;
  readonly #closing = new AbortController();
  /** Those that this member is to have. */
  readonly #kept = new Map<number, Kept>();
  /** Of every shard that was ever kept here: when its last task has ended. */
  readonly #ends = new Map<number, Promise<void>>();
  readonly #owned = new Map<number, OwnedShard>();
  #state: RecipeState = 'latent';
  #following: Promise<void> = Promise.resolve();

  /** `task` runs once for each shard that this member owns. Throws `InvalidNameError`, `InvalidShardsError`. */
  constructor(
    client: Client,
    name: string,
    task: (owned: OwnedShard) => unknown,
    options: ShardAssignmentOptions,
  ) {
    checkOptions('ShardAssignment', options, SHARD_OPTIONS);
    const { shards, id = client.random.uuid(), data, rejoinMs = 0 } = options;
    this.path = pathBelow(options.root ?? '/shards', name, 'shard assignment');
    if (!Number.isSafeInteger(shards) || shards < 1 || shards > MOST_SHARDS)
      throw new InvalidShardsError(this.path, 'shards', shards, `a whole number from 1 to ${MOST_SHARDS}`);
    if (!(rejoinMs >= 0 && rejoinMs < Infinity))
      throw new InvalidShardsError(this.path, 'rejoinMs', rejoinMs, 'milliseconds from 0 up');
    this.id = id;
    this.shards = shards;
    this.#client = client;
    this.#task = task;
    this.#group = new GroupMembership(client, `${this.path}/members`, { id, data });
    this.#division = new KeptDivision(client, this.#group, {
      path: `${this.path}/division`,
      id,
      shards,
      rejoinMs,
      onChange: () => this.#divide(),
    });
  }

  get state(): RecipeState {
    return this.#state;
  }

  /** What this member owns now, by number. */
  get owned(): ReadonlyMap<number, OwnedShard> {
    return this.#owned;
  }

  /** Who takes part, as last known. */
  get members(): GroupMembership {
    return this.#group;
  }

  /** Takes part. Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    if (this.#state !== 'latent')
      throw new RecipeStateError('ShardAssignment', this.path, this.#state, 'start');
    this.#state = 'started';
    this.#following = this.#follow();
    this.#group.start();
    return this;
  }

  /** Resolves when this member is among those that take part and has looked for its shards; it may have to wait for them. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('ShardAssignment.ready', options, SIGNAL_OPTION);
    await this.#group.ready(options);
    await this.#division.ready(options);
    this.#divide();
  }

  /** Who owns what now, read from the servers; works without taking part. */
  async owners(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReadonlyMap<number, LockOwner>> {
    checkOptions('ShardAssignment.owners', options, SIGNAL_OPTION);
    const owners = new Map<number, LockOwner>();
    const found = await Promise.all(
      (await this.#shardsWithOwner(options)).map(
        async (shard) => [shard, await this.#lock(shard).owner(options)] as const,
      ),
    );
    for (const [shard, owner] of found) if (owner !== null) owners.set(shard, owner);
    return owners;
  }

  /**
   * Asks every task to end, gives up each shard as its task does, and leaves. Resolves when all have ended; within one of the
   * tasks it waits for none of them. Idempotent.
   */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#closing.abort(new RecipeStateError('ShardAssignment', this.path, 'closed', 'owning shards'));
    this.#letGoOfAll(this.#closing.signal.reason);
    const ends = isWithinTaskOf(this) ? [] : this.#ends.values();
    await Promise.all([this.#group.close(), this.#division.close(), this.#following, ...ends]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(): Promise<void> {
    try {
      await this.#division.run();
    } catch (error) {
      this.#client.logger.error('the members that share shards cannot be followed any more', {
        path: this.path,
        error,
      });
    }
    this.#state = 'closed';
    this.#letGoOfAll(new RecipeStateError('ShardAssignment', this.path, 'closed', 'owning shards'));
  }

  /** Lets go of what is another's and begins to wait for what is its own. */
  #divide(): void {
    if (this.#state !== 'started') return;
    const owners = this.#division.current?.owners ?? [];
    for (const [shard, kept] of this.#kept) {
      if (owners[shard] === this.id) continue;
      this.#kept.delete(shard);
      kept.stop.abort(new ShardMovedError(this.path, shard, owners[shard] ?? null));
    }
    for (let shard = 0; shard < this.shards; shard++)
      if (owners[shard] === this.id && !this.#kept.has(shard)) this.#begin(shard);
  }

  #begin(shard: number): void {
    const stop = new AbortController();
    const before = this.#ends.get(shard) ?? Promise.resolve();
    const done = before.then(() => this.#keep(shard, stop.signal));
    this.#kept.set(shard, { stop, done });
    this.#ends.set(shard, done);
  }

  #letGoOfAll(reason: unknown): void {
    for (const { stop } of this.#kept.values()) stop.abort(reason);
    this.#kept.clear();
  }

  /** Rejects never. */
  async #keep(shard: number, stop: AbortSignal): Promise<void> {
    for (let failures = 0; !stop.aborted;) {
      try {
        const hold = await this.#lock(shard).acquire({ signal: stop });
        await this.#work(shard, hold, stop);
        failures = 0;
      } catch (error) {
        if (stop.aborted || isClosed(this.#client, error)) return;
        this.#client.logger.error('a shard is given up for a while, its task or the servers failed', {
          path: this.path,
          shard,
          error,
        });
        await pause(this.#client, ++failures, stop).catch(() => undefined);
      }
    }
  }

  /** Owns the shard until it is to be let go. Rejects with what the task throws unless that is how it obeys its signal. */
  async #work(shard: number, hold: Hold, stop: AbortSignal): Promise<void> {
    const over = new AbortController();
    const end = (): void => over.abort(hold.signal.aborted ? hold.signal.reason : stop.reason);
    hold.signal.addEventListener('abort', end, { once: true });
    stop.addEventListener('abort', end, { once: true });
    if (hold.signal.aborted || stop.aborted) end();
    const { signal } = over;
    try {
      if (signal.aborted) return;
      const owned = { shard, fence: hold.fence, signal, lost: hold.signal };
      this.#owned.set(shard, owned);
      signal.addEventListener('abort', () => this.#owned.delete(shard), { once: true });
      await runOwned(this, () => this.#task(owned));
      await aborted(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      if (error !== signal.reason)
        this.#client.logger.error('the task of a shard failed as it was to end', {
          path: this.path,
          shard,
          error,
        });
    } finally {
      stop.removeEventListener('abort', end);
      await hold.release();
    }
  }

  #lock(shard: number): TryLock {
    return new TryLock(this.#client, String(shard), { root: `${this.path}/owners`, owner: this.id });
  }

  async #shardsWithOwner(options: { readonly signal?: AbortSignal | undefined }): Promise<readonly number[]> {
    try {
      const path = `${this.path}/owners`;
      const { children } = await repeatRead(this.#client, options, () =>
        this.#client.getChildren(path, options),
      );
      return children
        .map(Number)
        .filter((shard) => Number.isSafeInteger(shard))
        .toSorted((one, other) => one - other);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }
}
