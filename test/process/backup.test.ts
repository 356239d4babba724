import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../core/client/index.js';
import { silentLogger } from '../../core/runtime/index.js';
import { EnsembleProcess } from './ensemble-process.js';

const QUORATE = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));
const STEP = 2n ** 20n;

let directory = '';
test.before.each(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-backup-'));
});
test.after.each(() => rm(directory, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function quorate(...args: readonly string[]): Promise<Ended> {
  return promisify(execFile)(process.execPath, [QUORATE, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => error,
  );
}

async function mustRun(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await quorate(...args);
  assert.is(code, 0, stderr);
  return stdout;
}

function listOf(ensemble: EnsembleProcess): string {
  return ensemble.ids.map((id) => `${id}=127.0.0.1:${ensemble.portOf(id)}`).join(',');
}

async function restoreAll(ensemble: EnsembleProcess, file: string): Promise<void> {
  for (const id of ensemble.ids) await ensemble.stop(id);
  for (const id of ensemble.ids) {
    await rm(ensemble.dataOf(id), { recursive: true });
    const place = ['--data', ensemble.dataOf(id), '--id', `${id}`, '--ensemble', listOf(ensemble)];
    await mustRun('restore', file, ...place);
  }
  for (const id of ensemble.ids) ensemble.launch(id);
  await ensemble.serving();
}

test('a backup of a running member restores a new ensemble twice, its clients come back, and no fence repeats', async () => {
  await using ensemble = await EnsembleProcess.start();
  const file = join(directory, 'backup');
  await using client = createClient(ensemble.url(), { sessionTimeoutMs: 4_000, logger: silentLogger });
  await client.create('/kept', 'first');
  await client.create('/mine', null, { mode: 'ephemeral' });
  const before = (await client.exists('/mine'))!.czxid;

  const report = await mustRun('backup', '--connect', ensemble.url(), file);
  assert.match(report, /SHA-256 [0-9a-f]{64}/);
  assert.is((await stat(file)).mode & 0o777, 0o600);
  assert.equal(await readdir(directory), ['backup']);
  await client.create('/later');
  await restoreAll(ensemble, file);

  await ensemble.until(
    'the client to have a session of the new ensemble',
    () => client.session.epoch === 2 && client.state === 'connected',
  );
  assert.is(new TextDecoder().decode((await client.getData('/kept')).data ?? undefined), 'first');
  assert.is(await client.exists('/later'), null);
  assert.is(await client.exists('/mine'), null);
  await client.create('/mine', null, { mode: 'ephemeral' });
  const fence = (await client.exists('/mine'))!.czxid;
  assert.ok(fence > before + (STEP << 32n) - 1n);

  await mustRun('backup', '--connect', ensemble.url(), file);
  await restoreAll(ensemble, file);
  await ensemble.until(
    'the client to come back once more',
    () => client.session.epoch === 3 && client.state === 'connected',
  );
  await client.create('/mine', null, { mode: 'ephemeral' });
  const last = (await client.exists('/mine'))!.czxid;
  assert.ok(last > fence);
  assert.ok(last > BigInt(Number.MAX_SAFE_INTEGER), 'a fence is a bigint, for it exceeds 2^53 now');
  await ensemble.converged();
});

test('a backup goes to the standard output and verifies there, and a damaged one is refused with exit code 1', async () => {
  await using ensemble = await EnsembleProcess.start({ voters: 1 });
  const file = join(directory, 'backup');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [QUORATE, 'backup', '--connect', ensemble.url(), '-'],
    { encoding: 'buffer' },
  );
  await writeFile(file, stdout);
  const summary = JSON.parse(await mustRun('backup', 'verify', '--json', file)) as {
    readonly znodes: number;
  };
  assert.is(summary.znodes, 4);

  const bytes = await readFile(file);
  bytes[bytes.length - 40] = bytes[bytes.length - 40]! ^ 1;
  await writeFile(file, bytes);
  const { code, stderr } = await quorate('backup', 'verify', file);
  assert.is(code, 1);
  assert.match(stderr, /BACKUP_DAMAGED/);
});

test('a backup that cannot be taken leaves the file of the one before', async () => {
  const file = join(directory, 'backup');
  await writeFile(file, 'the one before');
  const { code, stderr } = await quorate('backup', '--connect', 'ws://127.0.0.1:1', '--patience', '1', file);
  assert.is(code, 1);
  assert.match(stderr, /CONNECT_FAILED/);
  assert.equal(await readdir(directory), ['backup']);
  assert.is(await readFile(file, 'utf8'), 'the one before');
  assert.match(
    (await quorate('backup', '--connect', 'zk://127.0.0.1', file)).stderr,
    /BACKUP_NOT_SUPPORTED.*quorate export/,
  );
});

test('a survivor becomes a new ensemble by one command that names its number, alone and then with others', async () => {
  await using ensemble = await EnsembleProcess.start();
  await mustRun('shell', '--connect', ensemble.url(), 'create', '/kept', 'x');
  for (const id of ensemble.ids) await ensemble.stop(id);
  for (const id of [2, 3]) await rm(ensemble.dataOf(id), { recursive: true });
  const data = ensemble.dataOf(1);

  const unconfirmed = await quorate('doctor', '--force-new-ensemble', data);
  assert.is(unconfirmed.code, 2);
  assert.match(unconfirmed.stderr, /nothing was changed.*--id 1/);
  assert.match(
    unconfirmed.stdout,
    /Acknowledged writes behind 0x[0-9a-f]+ that only other members have are lost for good/,
  );
  assert.is((await quorate('doctor', '--force-new-ensemble', '--id', '2', data)).code, 2);
  const told = await mustRun('doctor', '--force-new-ensemble', '--id', '1', data);
  const [, folder] = /in (before-new-ensemble-\S+)/.exec(told)!;
  assert.ok((await readdir(join(data, folder!))).some((name) => name.startsWith('log-')));

  for (const id of [1, 2, 3]) ensemble.launch(id);
  await ensemble.serving();
  assert.match(await mustRun('shell', '--connect', ensemble.url(3), 'get', '/kept'), /x/);
  await ensemble.converged();
});

test.run();
