import type { Random } from '../runtime/index.js';
import { BLOCK_BYTES } from './memory-file.js';

/** So many are remembered. */
const KEPT = 32;

/**
 * What blocks of a disk held when a file gave them up. A file system gives them to other files, and they read as they were until
 * something is written there.
 */
export class FreedBlocks {
  readonly #blocks: Uint8Array[] = [];

  /** A file gives up what it holds from `from` on. */
  add(content: Uint8Array, from = 0): void {
    const first = Math.ceil(from / BLOCK_BYTES) * BLOCK_BYTES;
    // The last ones are those that are reused first.
    for (
      let at = Math.max(first, content.length - KEPT * BLOCK_BYTES);
      at < content.length;
      at += BLOCK_BYTES
    ) {
      const block = content.slice(at, at + BLOCK_BYTES);
      if (block.some((byte) => byte !== 0)) this.#blocks.push(block);
    }
    this.#blocks.splice(0, this.#blocks.length - KEPT);
  }

  /** What a block holds that nobody has written since, or that nobody has ever written: null. */
  pick(random: Random): Uint8Array | null {
    return this.#blocks[Math.floor(random.next() * (this.#blocks.length + 1))] ?? null;
  }
}
