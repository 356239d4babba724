/** What a member keeps of clients that are gone, counted in everything that its service for clients reaches. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import type { MemoryNetwork } from '../../../../core/transport/index.js';
import { type Census, censusOf, differences } from '../../census.js';
import { RawClient } from '../raw-client.js';
import { World } from '../world.js';

/** Moments, places in buffers and queues, numbers that only grow, and what belongs to other parts of the member. */
const PAST =
  /clock|logger|random|storage|\.state\.|pipeline|traffic|refusals|zxid|secret|At$|#until$|#head$|#writer|idle\[\]\.|#bytes$/i;

/** How a client that has done something of everything goes. */
const ENDS: readonly ((client: RawClient) => void)[] = [
  (client) => void client.send(OpCode.closeSession, {}),
  (client) => client.connection.close(),
  (client) => client.connection.terminate(),
  (client) => client.sendBytes(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0)),
];

test('a member keeps nothing of clients from ever other addresses, with ever other identities', async () => {
  await using world = await World.start({ handshakeMs: 2_000, maxSessionMs: 4_000 });
  const network = world.embedded.dialer as MemoryNetwork;
  const { address } = world.embedded;
  await world.wait((await world.open()).create('/a'));
  const censuses: Census[] = [];
  for (let round = 0; round < 4; round++) {
    for (const [index, end] of ENDS.entries()) {
      const dialer = network.dialer(`client-${round}-${index}`);
      const client = await world.wait(RawClient.open(dialer, address));
      const auth = Buffer.from(`user-${round}-${index}:password`);
      await world.wait(client.send(OpCode.auth, { type: 0, scheme: 'digest', auth }));
      await world.wait(client.create(`/a/${round}-${index}`, 'x', 1));
      await world.wait(client.getData('/a', true));
      await world.wait(client.send(OpCode.getChildren, { path: '/a', watch: true }));
      await world.wait(client.send(OpCode.addWatch, { path: '/a', mode: 1 }));
      await world.wait(client.send(OpCode.sync, { path: '/a' }));
      end(client);
      await world.wait(RawClient.dial(dialer, address));
    }
    await world.clock.advance(30_000);
    censuses.push(censusOf(world.embedded.member.inspection));
  }
  assert.equal(differences(censuses[2]!, censuses[3]!, PAST), []);
});

test.run();
