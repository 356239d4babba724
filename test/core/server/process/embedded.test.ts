import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../../../core/protocol/index.js';
import { Embedded } from '../../../../core/server/index.js';
import { RawClient } from '../raw-client.js';

const open = (member: Embedded): Promise<RawClient> => RawClient.open(member.dialer, member.address);

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

test('without a directory everything is gone with the member', async () => {
  const first = await Embedded.start();
  await (await open(first)).create('/a');
  await first.close();
  await using second = await Embedded.start();
  assert.is((await (await open(second)).exists('/a')).err, ErrorCode.noNode);
});

test('with a directory znodes and sessions are there again', async () => {
  const first = await Embedded.start({ data });
  const client = await open(first);
  await client.create('/e', 'x', 1);
  await first.close();

  await using second = await Embedded.start({ data });
  const again = await RawClient.dial(second.dialer, second.address);
  await again.resume(client);
  assert.is((await again.exists('/e')).body!.stat.ephemeralOwner, client.response!.sessionId);
});

test('the secret behind the sessions is readable by its owner only, and a damaged one is refused', async () => {
  await (await Embedded.start({ data })).close();
  const path = join(data, 'session-secret');
  assert.is((await stat(path)).mode & 0o777, 0o600);
  assert.is((await readFile(path)).length, 32);

  await writeFile(path, 'short');
  const refusal = await Embedded.start({ data }).then(
    () => 'started',
    (error: Error) => error.message,
  );
  assert.match(refusal, /session-secret holds 5 bytes instead of 32/);
});

test('two members in one process do not meet, and one directory takes one member', async () => {
  await using first = await Embedded.start({ data });
  await using other = await Embedded.start();
  await (await open(first)).create('/a');
  assert.is((await (await open(other)).exists('/a')).err, ErrorCode.noNode);
  const second = await Embedded.start({ data }).then(
    () => 'started',
    (error: Error) => error.constructor.name,
  );
  assert.is(second, 'DataDirectoryLockedError');
});

test('a member that is closed twice, and whose clients dial on, stays closed', async () => {
  const member = await Embedded.start();
  await member.close();
  await member.close();
  const refusal = await open(member).catch((error: Error & { code: string }) => error.code);
  assert.is(refusal, 'CONNECT_FAILED');
  assert.equal([member.member.health().state, member.member.health().isServing], ['closed', false]);
});

test.run();
