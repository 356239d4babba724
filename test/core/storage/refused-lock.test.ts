import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockDirectory } from '../../../core/storage/directory-lock.js';
import { DataDirectoryLockedError } from '../../../core/storage/index.js';
import { takeLockFile, type HeldLockFile } from '../../../core/storage/lock-files.js';
import { describeSelf } from '../../../core/storage/lock-owner.js';
import { rejection } from './history.js';

test('a process whose start was refused gets the directory once its owner has released it', async () => {
  const location = await mkdtemp(join(tmpdir(), 'quorate-refused-'));
  try {
    const owner = (await takeLockFile(location, await describeSelf(false))) as HeldLockFile;
    for (let attempt = 0; attempt < 2; attempt++)
      assert.instance(await rejection(lockDirectory(location)), DataDirectoryLockedError);
    await owner.release();
    const lock = await lockDirectory(location);
    await lock.release();
    await (await lockDirectory(location)).release();
  } finally {
    await rm(location, { recursive: true, force: true });
  }
});

test.run();
