import type { Client } from '../../client/index.js';
import { HoldLostError, HoldReleasedError } from '../errors.js';
import { removeOwnNode, type OwnNode } from '../nodes/own-node.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { orAborted } from '../waiting/abort.js';
import { isClosed, isSessionOver } from '../waiting/failure.js';
import type { Hold, HoldGuard } from './hold.js';

/**
 * A hold that stands and falls with one own ephemeral znode.
 *
 * - held: from the start, unless the session is over already;
 * - lost: the session ended, or the znode vanished or is another's; final;
 * - released: by `release`; final.
 */
export class HeldNode implements Hold {
  readonly guards: readonly HoldGuard[] | undefined;
  readonly #client: Client;
  readonly #node: OwnNode;
  readonly #ended = new AbortController();
  #released: Promise<void> | null = null;

  /** `guard`: of a znode of a name that another can have afterwards. */
  constructor(client: Client, node: OwnNode, guard?: HoldGuard) {
    this.guards = guard === undefined ? undefined : [guard];
    this.#client = client;
    this.#node = node;
    const { signal } = node.session;
    const onSessionEnd = (): void =>
      this.#end(new HoldLostError(node.path, 'the session is over', signal.reason));
    if (signal.aborted) onSessionEnd();
    else {
      signal.addEventListener('abort', onSessionEnd, { once: true });
      this.signal.addEventListener('abort', () => signal.removeEventListener('abort', onSessionEnd), {
        once: true,
      });
    }
    void this.#watchOver();
  }

  get path(): string {
    return this.#node.path;
  }

  get fence(): bigint {
    return this.#node.czxid;
  }

  get ensembleId(): string | null {
    return this.#node.session.ensembleId;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  release(): Promise<void> {
    // The signal goes first: whoever obeys it has stopped before another can hold.
    this.#end(new HoldReleasedError(this.path));
    this.#released ??= removeOwnNode(this.#client, this.#node);
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #end(reason: HoldLostError | HoldReleasedError): void {
    if (!this.signal.aborted) this.#ended.abort(reason);
  }

  async #watchOver(): Promise<void> {
    const { path, session } = this.#node;
    try {
      while (!this.signal.aborted) {
        const read = await readAndWatch(this.#client, path, { session, signals: [this.signal] });
        if (read?.stat.czxid !== this.fence) {
          read?.cancel();
          this.#end(new HoldLostError(path, 'its znode was deleted by somebody else'));
          return;
        }
        await orAborted(read.changed, this.signal).finally(() => {
          // A release deletes the znode, and the watch with it.
          if (this.#released === null) read.cancel();
        });
      }
    } catch (error) {
      if (this.signal.aborted || isClosed(this.#client, error) || isSessionOver(error, session)) return;
      this.#end(new HoldLostError(path, 'its znode cannot be watched', error));
    }
  }
}
