import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { serve, type Served, type ServeOptions } from '../../../../core/server/index.js';
import { CloseCode, WebSocketDialer } from '../../../../core/transport/index.js';
import { RawClient } from '../raw-client.js';

const dialer = new WebSocketDialer();
let data = '';

test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

function start(options: Partial<ServeOptions> = {}): Promise<Served> {
  return serve({ data, port: 0, ...options });
}

test('a client over WebSocket finds its znode and its session again after a restart', async () => {
  const first = await start();
  const client = await RawClient.open(dialer, first.address);
  assert.is((await client.create('/a', 'x', 1)).err, 0);
  await first.close();
  assert.is((await client.closed).code, CloseCode.notTaken);

  await using second = await start();
  const again = await RawClient.dial(dialer, second.address);
  const resumed = await again.resume(client);

  assert.is(resumed.sessionId, client.response!.sessionId);
  const read = await again.getData('/a');
  assert.is(Buffer.from(read.body!.data!).toString(), 'x');
  assert.is(read.body!.stat.ephemeralOwner, client.response!.sessionId);
});

test('livez and readyz tell how the member is', async () => {
  await using member = await start({ id: 7 });
  const base = member.address.replace('ws:', 'http:');

  const [live, ready] = [await fetch(`${base}/livez`), await fetch(`${base}/readyz`)];

  assert.equal([live.status, ready.status], [200, 200]);
  const health = (await ready.json()) as Record<string, unknown>;
  assert.is(health.id, 7);
  assert.is(health.state, 'leading');
  assert.is(health.isServing, true);
  assert.match(String(health.zxid), /^0x[0-9a-f]+$/);
});

test.run();
