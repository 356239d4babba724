import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { JuteWriter, OpCode, writeConnectRequest, writeRequest } from '../../../core/protocol/index.js';
import { serveOverTcp, until } from './served.js';
import { open, TcpEnd } from './tcp-client.js';

const CONNECTIONS = 300;

/** A connect request and some requests behind it, as a client would send them. */
function conversation(): Buffer {
  const writer = new JuteWriter();
  const nobody = { lastZxidSeen: 0n, sessionId: 0n, password: new Uint8Array(16) };
  writeConnectRequest(writer, { protocolVersion: 0, timeoutMs: 5_000, readOnly: false, ...nobody });
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  const create = { path: '/g', data: new Uint8Array(20), acl, flags: 3, ttlMs: 0 };
  writeRequest(writer, 1, OpCode.create, create);
  writeRequest(writer, 2, OpCode.getChildren, { path: '/', watch: true });
  writeRequest(writer, 3, OpCode.multi, { ops: [{ op: OpCode.create, body: create }] });
  writeRequest(writer, 4, OpCode.setWatches, {
    relativeZxid: 0n,
    dataWatches: ['/a'],
    existWatches: ['/b'],
    childWatches: ['/c'],
  });
  return Buffer.from(writer.take());
}

test('damaged conversations end or are refused, and the member serves everybody else as before', async () => {
  await using served = await serveOverTcp({ handshakeMs: 300, maxPacketBytes: 10_000 });
  const random = new SeededRandom(4_711);
  const below = (limit: number): number => Math.floor(random.next() * limit);
  let failure: Error | null = null;
  served.member.onFailure((error) => (failure = error));

  for (let count = 0; count < CONNECTIONS; count++) {
    const bytes = conversation();
    // The connect request is left alone in two of three, so that the damage gets further.
    const from = count % 3 === 0 ? 0 : 49;
    for (let left = 1 + below(6); left > 0; left--) bytes[from + below(bytes.length - from)] = below(256);
    const tcp = await TcpEnd.open(served.port);
    const cut = below(bytes.length);
    tcp.send(bytes.subarray(0, cut));
    if (count % 2 === 0) tcp.send(bytes.subarray(cut));
    if (count % 5 === 0) tcp.terminate();
    else tcp.socket.end();
  }

  const client = await open(served.port);
  assert.is((await client.create('/after')).err, 0);
  await until('all others have gone', () => served.member.health().connections === 1);
  assert.is(failure, null);
  client.connection.terminate();
});

test.run();
