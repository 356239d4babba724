import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiskFile } from '../../../core/storage/disk.js';
import { headerCheck } from '../../../core/storage/group-mark.js';
import { TailSearch } from '../../../core/storage/tail-search.js';

const SALT = 0x1234;
const WINDOW_BYTES = 1024 * 1024;
const SYNCED_TO = 48;

/** A file that holds zeros, and at one offset the header of a record that shows what was synced before it. */
function fileWithHeaderAt(at: number): { readonly file: DiskFile; readonly bytes: number } {
  const content = Buffer.alloc(3 * WINDOW_BYTES);
  content.writeUInt32LE(100, at + 8);
  content.writeUInt32LE(SYNCED_TO, at + 12);
  content.writeUInt32LE(headerCheck(content, at, SALT), at + 4);
  const read = (offset: number, buffer: Uint8Array): Promise<number> =>
    Promise.resolve(content.copy(buffer, 0, offset, Math.min(content.length, offset + buffer.length)));
  return { file: { read } as unknown as DiskFile, bytes: content.length };
}

test('a header behind the end of a log is found wherever it lies between two windows of the search', async () => {
  for (const border of [WINDOW_BYTES, 2 * WINDOW_BYTES]) {
    for (let distance = -48; distance <= 48; distance += 8) {
      const { file, bytes } = fileWithHeaderAt(border + distance);
      const search = new TailSearch(file, { offset: 64, zxid: 0n, chain: 0 }, SALT);
      const { syncedTo, isClean } = await search.run(bytes);
      assert.is(syncedTo, SYNCED_TO, `${distance} bytes from the border at ${border}`);
      assert.not(isClean);
    }
  }
});

test('what lies behind the limit of a search is not looked at', async () => {
  const { file } = fileWithHeaderAt(WINDOW_BYTES);
  const search = new TailSearch(file, { offset: 64, zxid: 0n, chain: 0 }, SALT);
  assert.equal(await search.run(WINDOW_BYTES), {
    syncedTo: 0,
    missingGroupEnd: null,
    isClean: true,
    bytes: 0,
  });
});

test.run();
