import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../../core/server/index.js';
import {
  Application,
  Config,
  ConfigStore,
  connect,
  LeaderOnly,
  Queues,
  Service,
  Services,
  Worker,
  type Job,
} from '../../framework/index.js';

const directory = mkdtempSync(join(tmpdir(), 'quorate-engine-'));
test.after(() => rmSync(directory, { recursive: true }));

test('each embedded member in memory is one of its own', async () => {
  await using one = await connect('embedded:');
  await using other = await connect('embedded:');
  await one.create('/mine');
  assert.is(await other.exists('/mine'), null);
});

test('an embedded member with a directory is shared within the process, and keeps its data', async () => {
  const url = `embedded:${join(directory, 'data')}`;
  const one = await connect(url);
  const other = await connect(url);
  await one.create('/shared', 'kept');
  await one.close();
  assert.ok((await other.exists('/shared')) !== null);
  await other.close();

  await using again = await connect(url);
  const { data } = await again.getData('/shared');
  assert.is(new TextDecoder().decode(data ?? undefined), 'kept');
});

test('a directory can be opened again while it is still being closed', async () => {
  const url = `embedded:${join(directory, 'busy')}`;
  const first = await connect(url);
  const closing = first.close();
  const second = await connect(url);
  await closing;
  assert.is(second.state, 'connected');
  await second.close();
});

test('a directory is not opened before the member of its last user has released it', async () => {
  const data = join(directory, 'one-owner');
  const url = `embedded:${data}`;
  const first = await connect(url);
  const { readFile, stat } = fsPromises;
  let isOpened = false;
  let wasOpenedEarly: boolean | undefined;
  let second: ReturnType<typeof connect> | undefined;
  const patched = fsPromises as unknown as Record<
    'readFile' | 'stat',
    (path: string, options?: 'utf8') => Promise<unknown>
  >;
  patched.stat = (path) => {
    if (path === data) isOpened = true;
    return stat(path);
  };
  // The member reads its lock file to release it: it is still closing then.
  patched.readFile = async (path, options) => {
    if (path !== join(data, 'lock') || second !== undefined) return readFile(path, options);
    second = connect(url);
    await new Promise((resolve) => setImmediate(resolve));
    wasOpenedEarly = isOpened;
    return readFile(path, options);
  };
  syncBuiltinESMExports();
  try {
    await first.close();
    await (await second!).close();
  } finally {
    Object.assign(fsPromises, { readFile, stat });
    syncBuiltinESMExports();
  }
  assert.equal([wasOpenedEarly, isOpened], [false, true]);
});

test('three embedded members are one ensemble, in memory or in a directory that keeps it', async () => {
  await using memory = await connect('embedded:?members=3');
  await memory.create('/mine');

  const url = `embedded:${join(directory, 'three')}?members=3`;
  const first = await connect(url);
  await first.create('/kept', 'x');
  const other = await connect(url.replace('members=3', 'members=5')).catch(
    (error: { code: string }) => error.code,
  );
  assert.is(other, 'ENGINE_UNKNOWN');
  await first.close();

  await using again = await connect(url);
  assert.ok((await again.exists('/kept')) !== null);
});

test('what names no engine is refused, saying what would', async () => {
  for (const url of [
    'redis://localhost',
    'localhost:7300',
    '',
    'embedded:?member=3',
    'embedded:./a?members=x',
  ]) {
    for (const attempt of [() => connect(url), () => Application.start({ connect: url, declare: [] })]) {
      const error = await attempt().then(
        () => assert.unreachable(),
        (reason: { code: string; message: string }) => reason,
      );
      assert.is(error?.code, 'ENGINE_UNKNOWN');
      assert.match(error!.message, /embedded:, embedded:\.\/directory, ws:\/\/host:7300/);
    }
  }
});

test('over WebSocket to a member of another process everything works as embedded', async () => {
  await using served = await serve({ data: join(directory, 'served'), port: 0 });
  const handled: string[] = [];
  const ran = new Set<string>();
  @Config({ name: 'smoke' })
  class SmokeConfig {
    greeting = 'hello';
  }
  @Service({ name: 'smoke', port: 1234 })
  class SmokeService {}
  @LeaderOnly({ name: 'smoke', every: '1s' })
  class SmokeJob {
    run(): void {
      ran.add('leader');
    }
  }
  @Worker({ queue: 'smoke' })
  class SmokeWorker {
    handle(job: Job<string>): void {
      handled.push(job.data);
    }
  }
  const declare = [SmokeConfig, SmokeService, SmokeJob, SmokeWorker];
  await using application = await Application.start({ connect: served.address, declare });

  const reloaded = new Promise((resolve) => application.on('config-reloaded', resolve));
  const done = new Promise((resolve) => application.on('job-done', resolve));
  const led = new Promise((resolve) => application.on('run-done', resolve));
  await application.get(ConfigStore).write('smoke', { greeting: 'good evening' });
  await application.get(Queues).of<string>('smoke').enqueue('a job');
  await Promise.all([reloaded, done, led]);

  assert.is(application.get(SmokeConfig).greeting, 'good evening');
  assert.equal(handled, ['a job']);
  assert.ok(ran.has('leader'));
  assert.is((await application.get(Services).pick('smoke')).port, 1234);
});

test.run();
