import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import { serveOverTcp, until } from './served.js';
import { dial } from './tcp-client.js';

test('a client that closes its direction is let go with its last answer, long before its session times out', async () => {
  await using served = await serveOverTcp();
  const { client, tcp } = await dial(served.port);
  const { timeoutMs } = await client.connect({ timeoutMs: 40_000 });
  assert.ok(timeoutMs >= 20_000, `${timeoutMs}`);
  const replies = client.sendAll([
    { op: OpCode.sync, body: { path: '/' } },
    { op: OpCode.setData, body: { path: '/', data: new Uint8Array(1), version: -1 } },
  ]);
  tcp.socket.end();
  await Promise.all(replies);
  await until('the member lets go', () => served.member.health().connections === 0);
});

test.run();
