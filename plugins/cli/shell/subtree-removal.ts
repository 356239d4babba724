import { ReplyTooLargeError, type Client } from '../../../core/client/index.js';
import { isCode } from './subtree.js';

/**
 * Removes a znode and everything below it. Znodes are removed without a look at what is below them, many at once, and only those that
 * turn out to have children are looked into: so a million children cost no more requests than there are.
 */
export class SubtreeRemoval {
  readonly #client: Client;
  readonly #batch: number;
  /** A znode could not be removed, for another reason than that it was gone. */
  hasFailed = false;

  /** `batch`: removals that are under way at once. */
  constructor(client: Client, batch: number) {
    this.#client = client;
    this.#batch = batch;
  }

  /** Rejects if there is no such znode, or if its children cannot be listed. */
  async remove(path: string): Promise<void> {
    await this.#removeBelow(path);
    await this.#removeOne(path);
  }

  async #removeBelow(path: string): Promise<void> {
    const prefix = path === '/' ? '/' : `${path}/`;
    for (let after: string | undefined; ;) {
      const { children, next } = await this.#client.getChildrenPage(path, { after });
      for (let at = 0; at < children.length; at += this.#batch) {
        const paths = children.slice(at, at + this.#batch).map((name) => prefix + name);
        await this.#removeAll(paths);
      }
      if (next === null) return;
      after = next;
    }
  }

  async #removeAll(paths: readonly string[]): Promise<void> {
    const outcomes = await Promise.allSettled(paths.map((path) => this.#client.delete(path)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled' || isCode(outcome.reason, 'NO_NODE')) continue;
      if (isCode(outcome.reason, 'NOT_EMPTY')) await this.#removeFull(paths[index]!);
      else this.hasFailed = true;
    }
  }

  /** It has children. */
  async #removeFull(path: string): Promise<void> {
    try {
      await this.#removeBelow(path);
    } catch (error) {
      if (isCode(error, 'NO_NODE')) return;
      if (!(error instanceof ReplyTooLargeError) && !isCode(error, 'NO_AUTH')) throw error;
    }
    await this.#removeOne(path);
  }

  async #removeOne(path: string): Promise<void> {
    try {
      await this.#client.delete(path);
    } catch (error) {
      if (!isCode(error, 'NO_NODE')) this.hasFailed = true;
    }
  }
}
