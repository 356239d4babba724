import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeSelf, isAlive } from '../../../core/storage/lock-owner.js';

test('a process is alive as it describes itself, and no other with its number is taken for it', async () => {
  const self = await describeSelf(false);
  assert.ok(await isAlive(self));
  assert.not.ok(await isAlive({ ...self, boot: 'another boot' }));
  assert.not.ok(await isAlive({ ...self, namespace: 'another container' }));
  // Where the system does not tell when a process started, its number alone has to do.
  if (self.startedAt !== '') assert.not.ok(await isAlive({ ...self, startedAt: '1' }));
  assert.not.ok(await isAlive({ ...self, pid: 0x3fffffff }));
});

test.run();
