import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../../core/protocol/index.js';
import { Embedded } from '../../../../core/server/index.js';
import { RawClient } from '../raw-client.js';

test('a client connects, creates, reads, watches and is told', async () => {
  await using member = await Embedded.start();
  const client = await RawClient.open(member.dialer, member.address);

  assert.is((await client.create('/a', 'x')).body?.path, '/a');
  const read = await client.getData('/a', true);
  assert.is(Buffer.from(read.body!.data!).toString(), 'x');
  assert.is((await client.exists('/b')).err, ErrorCode.noNode);
  assert.is((await client.setData('/a', 'y')).body?.stat.version, 1);
  const sync = await client.send(OpCode.sync, { path: '/a' });
  assert.is(sync.err, 0);

  assert.equal(client.arrivals, [
    'connected',
    'reply 1',
    'reply 2',
    'reply 3',
    'event 3 /a',
    'reply 4',
    'reply 5',
  ]);
});

test.run();
