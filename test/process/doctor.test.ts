import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { EnsembleProcess } from './ensemble-process.js';
import { MemberProcess } from './member-process.js';
import { WritingLoad } from './writing-load.js';

const QUORATE = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function doctor(...args: readonly string[]): Promise<Ended> {
  const run = promisify(execFile)(process.execPath, [QUORATE, 'doctor', ...args]);
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => error,
  );
}

/** A member that has written fifty znodes and was stopped. */
async function madeMember(): Promise<void> {
  const member = await MemberProcess.start(['--data', data]);
  const client = await RawClient.open(new WebSocketDialer(), member.address);
  for (let index = 0; index < 50; index++) await client.create(`/${index}`, 'x'.repeat(500));
  await member.kill('SIGTERM');
}

async function damageLog(offset: number, directory = data): Promise<string> {
  const log = (await readdir(directory)).find((name) => name.startsWith('log-'))!;
  const bytes = await readFile(join(directory, log));
  bytes[offset] = bytes[offset]! ^ 1;
  await writeFile(join(directory, log), bytes);
  return log;
}

test('a damaged log: serve refuses and names the doctor, the doctor tells what is lost, a repair with consent lets the member start', async () => {
  await madeMember();
  const log = await damageLog(15_000);

  const attempt = MemberProcess.spawn(['--data', data]);
  assert.is((await attempt.exited).code, 1);
  assert.ok(attempt.log.includes(`quorate doctor ${data}`), attempt.log);

  const examined = await doctor(data);
  assert.is(examined.code, 1);
  assert.match(examined.stdout, new RegExp(`DAMAGED ${log} at byte \\d+`));
  assert.match(examined.stdout, /may be lost/);
  assert.match(examined.stdout, /--repair/);

  const repaired = await doctor(data, '--repair', '--alone');
  assert.is(repaired.code, 0, repaired.stderr + repaired.stdout);
  assert.match(repaired.stdout, new RegExp(`moved damaged-.*/${log}`));

  const member = await MemberProcess.start(['--data', data]);
  const client = await RawClient.open(new WebSocketDialer(), member.address);
  assert.is((await client.exists('/5')).err, 0, 'what stood before the damage is there');
  assert.is.not((await client.exists('/49')).err, 0);
  await member.kill('SIGTERM');
  assert.is((await doctor(data)).code, 0);
});

test('without consent a repaired member that stands alone does not start, and says why', async () => {
  await madeMember();
  await damageLog(15_000);
  assert.is((await doctor(data, '--repair')).code, 0);

  const attempt = MemberProcess.spawn(['--data', data]);

  assert.is((await attempt.exited).code, 1);
  assert.match(attempt.log, /CANNOT_REJOIN.*--repair --alone/);
  assert.is((await doctor(data, '--repair', '--alone')).code, 0);
  const member = await MemberProcess.start(['--data', data]);
  await member.kill('SIGTERM');
});

test('a sound directory is told to be sound, as JSON too, and one in use is left alone', async () => {
  await madeMember();
  const { code, stdout } = await doctor(data, '--json', '--repair');
  const { before, after } = JSON.parse(stdout) as { before: Record<string, unknown>; after: unknown };
  assert.equal([code, before.state, before.owner, after], [0, 'sound', 'member 1', null]);

  const member = await MemberProcess.start(['--data', data]);
  const refused = await doctor(data);
  assert.is(refused.code, 2);
  assert.match(refused.stderr, /DATA_DIRECTORY_LOCKED/);
  await member.kill('SIGTERM');
  assert.is((await doctor(join(data, 'nowhere'))).code, 2);
});

test('a member of an ensemble whose log is damaged says so, rejoins, and everything acknowledged is there', async () => {
  await using ensemble = await EnsembleProcess.start();
  await using load = await WritingLoad.start(ensemble.url());
  await load.goesOn(ensemble);
  const leader = await ensemble.serving();
  const [damaged, other] = ensemble.ids.filter((id) => id !== leader) as [number, number];
  const directory = ensemble.dataOf(damaged);

  await ensemble.kill(damaged);
  const log = await damageLog(15_000, directory);
  assert.match((await doctor(directory)).stdout, new RegExp(`DAMAGED ${log} at byte \\d+`));
  ensemble.launch(damaged);
  await ensemble.serving(...ensemble.ids);
  assert.match(ensemble.logOf(damaged), new RegExp(`"file":"${log}".*rejoins its ensemble without a vote`));

  // What it was given back is needed now.
  await ensemble.kill(other);
  await load.goesOn(ensemble);
  await load.stop();
  await load.verify(ensemble.url(damaged));
});

test.run();
