/** A data directory that is removed or replaced under a running member stops it at once: what it writes then is lost. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serve } from '../../../../core/server/index.js';
import { NodeDisk } from '../../../../core/storage/index.js';
import { content, entries, rejection, start, zxid } from '../../storage/history.js';
import { World } from '../world.js';

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

test('a member whose data directory is replaced stops within two seconds, without a write', async () => {
  const world = await World.start();
  const failures: Error[] = [];
  world.embedded.member.onFailure((error) => failures.push(error));
  await world.clock.advance(5_000);
  assert.equal(failures, []);

  world.disk.replaceDirectory();
  await world.clock.advance(2_000);

  assert.equal(failures.map(codeOf), ['DATA_DIRECTORY_REPLACED']);
  await world.close();
});

for (const [what, isGone, replace] of [
  ['removed', true, (data: string) => rm(data, { recursive: true })],
  ['renamed', true, (data: string) => rename(data, `${data}-elsewhere`)],
  ['replaced', false, (data: string) => rename(data, `${data}-elsewhere`).then(() => mkdir(data))],
] as const) {
  test(`a data directory of the operating system that was ${what} is noticed at its next sync, and when it is looked at`, async () => {
    const base = await mkdtemp(join(tmpdir(), 'quorate-replaced-'));
    try {
      for (const act of ['snapshot', 'segment', 'look'] as const) {
        const data = join(base, act, 'data');
        const { storage } = await start(await NodeDisk.open(data), { segmentBytes: 4096 });
        await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
        await storage.verifyPlace();

        await replace(data);
        const refused = await rejection(
          act === 'snapshot'
            ? storage.writeSnapshot(zxid(3), [], content('tree'))
            : act === 'segment'
              ? storage
                  .persist({ entries: entries(5, 100, { bytes: 100 }) })
                  .then(() => storage.persist({ entries: entries(105, 1) }))
              : storage.verifyPlace(),
        );

        assert.equal([refused.code, refused.fields?.isGone], ['DATA_DIRECTORY_REPLACED', isGone], act);
        assert.is(
          await rejection(storage.persist({ entries: entries(106, 1) })),
          refused,
          'the storage has stopped',
        );
        await storage.close().catch(() => undefined);
      }
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  });
}

test('a served member whose data directory is removed fails by itself', async () => {
  const base = await mkdtemp(join(tmpdir(), 'quorate-replaced-'));
  const data = join(base, 'data');
  const served = await serve({ data, port: 0 });
  const failed = new Promise<Error>((resolve) => served.onFailure(resolve));

  await rename(data, `${data}-elsewhere`);
  const failure = await failed;
  await served.close();
  await rm(base, { recursive: true, force: true });

  assert.is(codeOf(failure), 'DATA_DIRECTORY_REPLACED');
});

test.run();
