import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { joinFrame } from '../../../../core/server/peers/frame.js';
import { DiallerHandshake, peerKey } from '../../../../core/server/peers/peer-handshake.js';
import { MemoryNetwork, type Connection } from '../../../../core/transport/index.js';
import { encodePeerMessage, type PeerMessage } from '../../../../core/zab/index.js';
import { EnsembleWorld } from '../ensemble-world.js';

const SECRET = new Uint8Array(32).fill(3);

/** A link to member 1 as member 3, which does not run. */
async function linkAs3(world: EnsembleWorld): Promise<Connection> {
  const network = new MemoryNetwork(world.clock);
  network.listen('peer', (connection) => world.member(1).acceptPeer(connection));
  const connection = await world.wait(network.dial('peer', { signal: new AbortController().signal }));
  const identity = { id: 3, ensemble: 'voters 1', keys: [peerKey(SECRET)], others: [1, 2] };
  const handshake = new DiallerHandshake(identity, 1, new Uint8Array(32));
  connection.handle({
    message: (bytes) => {
      if (world.member(1).health().peers.includes(3)) return;
      const { send } = handshake.receive(bytes);
      if (send !== null) connection.send(send);
    },
    closed: () => undefined,
  });
  connection.send(handshake.hello);
  await world.until(() => world.member(1).health().peers.includes(3));
  return connection;
}

function send(connection: Connection, message: PeerMessage): void {
  const queue = [encodePeerMessage(message)];
  connection.send(
    joinFrame(
      () => queue[0],
      () => queue.shift(),
    ),
  );
}

test('a leader does not read a snapshot that an observer sends, and keeps its epoch and its clients', async () => {
  await using world = await EnsembleWorld.start({ voters: 1, observers: 2, absent: [3] });
  const client = await world.open(1);
  const { epoch } = world.member(1).health();
  const connection = await linkAs3(world);
  send(connection, { type: 'snap', epoch, zxid: 9n, epochs: [] });
  send(connection, { type: 'snapshotChunk', epoch, bytes: new Uint8Array(100), isLast: true });
  await world.clock.advance(1_000);

  assert.equal(
    world.log.lines.filter(({ message }) => /snapshot/i.test(message)).map(({ message }) => message),
    [],
  );
  assert.equal([world.member(1).health().epoch, world.leader], [epoch, 1]);
  assert.is((await world.wait(client.create('/a'))).err, 0);
});

test.run();
