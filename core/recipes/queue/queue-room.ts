import { allChildren, type Client } from '../../client/index.js';
import { QueueFullError } from '../errors.js';
import { orAborted } from '../waiting/abort.js';
import { repeatRead } from '../waiting/failure.js';
import { parseJobName } from './job-name.js';
import type { QueueLayout } from './queue-layout.js';

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** The jobs are counted at least this often, and after this part of the room that was left has been used. */
const COUNT_EVERY_MS = 1_000;
const SHARE_OF_ROOM = 0.1;

/**
 * How much more a queue takes. The jobs are counted about once a second, so that several producers at once may pass a
 * bound by what they add in that time, at most by a tenth each. Bytes are added up from the names, and only if the jobs
 * could be too many bytes at all.
 */
export class QueueRoom {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #queue: string;
  readonly #limits: { readonly maxJobs: number; readonly maxBytes: number; readonly maxJobBytes: number };
  #left = { jobs: 0, bytes: 0, until: 0 };
  #counting: Promise<void> | null = null;

  constructor(
    client: Client,
    layout: QueueLayout,
    queue: string,
    limits: { readonly maxJobs: number; readonly maxBytes: number; readonly maxJobBytes: number },
  ) {
    this.#client = client;
    this.#layout = layout;
    this.#queue = queue;
    this.#limits = limits;
  }

  /** Rejects with `QueueFullError`. */
  async take(bytes: number, options: Cancellable): Promise<void> {
    while (!this.#has(bytes)) {
      // Shared by everybody who waits for it: no caller's signal ends it.
      this.#counting ??= this.#count(bytes).finally(() => (this.#counting = null));
      await orAborted(this.#counting, ...(options.signal === undefined ? [] : [options.signal]));
    }
    this.#left.jobs--;
    this.#left.bytes -= bytes;
  }

  #has(bytes: number): boolean {
    const { jobs, bytes: left, until } = this.#left;
    return jobs > 0 && left >= bytes && this.#client.clock.now() < until;
  }

  async #count(bytes: number): Promise<void> {
    const { clock } = this.#client;
    const [jobs, dead] = await Promise.all([
      this.#countBelow(this.#layout.jobs),
      this.#countBelow(this.#layout.dead),
    ]);
    const { maxJobs, maxBytes, maxJobBytes } = this.#limits;
    const mayBeTooMany = (jobs + dead + 1) * maxJobBytes > maxBytes;
    const used = mayBeTooMany ? await this.#bytesUsed() : (jobs + dead) * maxJobBytes;
    const roomForJobs = maxJobs - jobs - dead;
    const roomForBytes = maxBytes - used;
    if (roomForJobs <= 0 || roomForBytes < bytes)
      throw new QueueFullError(this.#queue, { jobs, dead, maxJobs, bytes: used, maxBytes });
    this.#left = {
      jobs: Math.ceil(roomForJobs * SHARE_OF_ROOM),
      bytes: Math.max(bytes, roomForBytes * SHARE_OF_ROOM),
      until: clock.now() + COUNT_EVERY_MS,
    };
  }

  async #countBelow(path: string): Promise<number> {
    const stat = await repeatRead(this.#client, {}, () => this.#client.exists(path));
    return stat?.numChildren ?? 0;
  }

  async #bytesUsed(): Promise<number> {
    const lists = await Promise.all(
      [this.#layout.jobs, this.#layout.dead].map((path) =>
        repeatRead(this.#client, {}, () => allChildren(this.#client, path)),
      ),
    );
    return lists.flat().reduce((sum, name) => sum + (parseJobName(name)?.bytes ?? 0), 0);
  }
}
