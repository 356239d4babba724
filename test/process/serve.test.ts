import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CloseCode, WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { MemberProcess } from './member-process.js';

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

const open = (member: MemberProcess): Promise<RawClient> =>
  RawClient.open(new WebSocketDialer(), member.address);

test('SIGTERM answers what is in flight, tells clients that it goes, and exits with 0', async () => {
  const member = await MemberProcess.start(['--data', data]);
  const client = await open(member);
  const writes = Array.from({ length: 500 }, (_, index) => client.create(`/${index}`));
  await writes[0];

  const exit = member.kill('SIGTERM');
  const results = await Promise.allSettled(writes);
  assert.equal(await exit, { code: 0, signal: null });
  assert.is((await client.closed).code, CloseCode.notTaken);
  const answered = results.filter(({ status }) => status === 'fulfilled').length;

  const again = await MemberProcess.start(['--data', data]);
  const other = await open(again);
  for (let index = 0; index < answered; index++) {
    assert.is((await other.exists(`/${index}`)).err, 0, `/${index} of ${answered}`);
  }
  await again.kill('SIGINT');
});

test('livez and readyz answer on the port of the clients', async () => {
  const member = await MemberProcess.start(['--data', data, '--id', '3']);
  const [live, ready] = await Promise.all([fetch(`${member.http}/livez`), fetch(`${member.http}/readyz`)]);
  assert.equal([live.status, ready.status], [200, 200]);
  const health = (await ready.json()) as Record<string, unknown>;
  assert.equal([health.id, health.state, health.isServing, health.epoch], [3, 'leading', true, 1]);
  await member.kill('SIGTERM');
});

test('settings come from flag, environment and file, in this order', async () => {
  const config = join(data, 'config.json');
  await writeFile(config, JSON.stringify({ data: join(data, 'd'), id: 4, tickMs: 100, maxSessionMs: 5_000 }));
  const member = await MemberProcess.start(['--config', config, '--id', '6'], {
    QUORATE_ID: '5',
    QUORATE_MAX_SESSION_MS: '3000',
  });
  const client = await RawClient.open(new WebSocketDialer(), member.address, 60_000);
  assert.is(member.log.includes('"member":6'), true);
  assert.is(client.response!.timeoutMs, 3_000);
  await member.kill('SIGTERM');
});

test('a second member on the same directory, a taken port and a wrong option end with a clear line and exit code 1', async () => {
  const member = await MemberProcess.start(['--data', data]);
  const port = new URL(member.http).port;
  const attempts: readonly [readonly string[], RegExp][] = [
    [['--data', data], /DATA_DIRECTORY_LOCKED|another process/],
    [
      ['--data', join(data, 'other'), '--port', port],
      /LISTEN_FAILED.*another process listens there \(EADDRINUSE\)\. Choose another --port/,
    ],
    [['--data', join(data, 'other'), '--id', '300'], /Option id: 300 is not allowed/],
    [[], /Option data: it is missing/],
  ];
  for (const [args, message] of attempts) {
    const attempt = MemberProcess.spawn(args);
    assert.is((await attempt.exited).code, 1, args.join(' '));
    assert.match(attempt.log, message);
    assert.is(attempt.log.includes('    at '), false, 'no stack for a mistake of the user');
  }
  await member.kill('SIGTERM');
});

test('damage to the log ends the start with the file and what to do', async () => {
  const member = await MemberProcess.start(['--data', data]);
  const client = await open(member);
  for (let index = 0; index < 50; index++) await client.create(`/${index}`, 'x'.repeat(500));
  await member.kill('SIGTERM');
  const { readdirSync, readFileSync, writeFileSync } = await import('node:fs');
  const log = readdirSync(data).find((name) => name.startsWith('log-'))!;
  const bytes = readFileSync(join(data, log));
  bytes[5_000] = bytes[5_000]! ^ 1;
  writeFileSync(join(data, log), bytes);

  const attempt = MemberProcess.spawn(['--data', data]);

  assert.is((await attempt.exited).code, 1);
  assert.match(attempt.log, new RegExp(log));
});

test('a disk that refuses a write ends the process with code 1, and loses nothing that was acknowledged', async () => {
  // No file may become larger than eight MiB; the signal that goes with it is ignored, so that the write itself fails.
  const limited = ['bash', '-c', 'trap \'\' XFSZ; ulimit -f 8192; exec "$@"', 'bash'];
  const member = await MemberProcess.start(['--data', data], {}, limited);
  const client = await open(member);
  const acknowledged: string[] = [];
  for (let index = 0; client.end === null && index < 1_000; index++) {
    const { err } = await client.create(`/${index}`, 'x'.repeat(100_000)).catch(() => ({ err: null }));
    if (err === 0) acknowledged.push(`/${index}`);
  }

  assert.equal(await member.exited, { code: 1, signal: null });
  assert.match(member.log, /Member failed/);
  assert.ok(acknowledged.length > 10);

  const again = await MemberProcess.start(['--data', data]);
  const other = await open(again);
  for (const path of acknowledged) assert.is((await other.exists(path)).err, 0, path);
  await again.kill('SIGTERM');
});

test.run();
