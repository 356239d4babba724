/** What a member holds on behalf of its clients goes with their connections, however these end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import type { MemberHoldings } from '../../../../core/server/index.js';
import { Cluster, type ClusterMember } from '../../../../core/testing/index.js';
import { RawClient } from '../raw-client.js';

const NOTHING = {
  watches: 0,
  attachedSessions: 0,
  receivedBytes: 0,
  bytesInFlight: 0,
  openQuestions: 0,
  pendingSyncs: 0,
  frozenViews: 0,
  snapshotArrivals: 0,
};

const exists = { op: OpCode.exists, body: { path: '/a', watch: true } } as const;
const sync = { op: OpCode.sync, body: { path: '/a' } } as const;
const write = { op: OpCode.setData, body: { path: '/a', data: new Uint8Array(100), version: -1 } } as const;
const close = { op: OpCode.closeSession, body: {} } as const;

/** Ends of a connection that leave requests behind which nobody has looked at. */
const ENDS: Readonly<Record<string, (client: RawClient) => void>> = {
  'the session is closed before later requests': (client) =>
    void client.sendAll([exists, sync, write, close, exists, write, sync]),
  'the client dies behind its requests': (client) => {
    void client.sendAll([exists, sync, write, exists, write, sync]);
    client.connection.terminate();
  },
  'the client closes behind its requests': (client) => {
    void client.sendAll([exists, sync, write, exists, write, sync]);
    client.connection.close();
  },
  'bytes that are no packet follow': (client) => {
    void client.sendAll([exists, sync, write, exists, write, sync]);
    client.sendBytes(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0));
  },
};

/** A leader and a follower are watched while `act` runs with a client of either. */
async function heldAfter(act: (client: RawClient, cluster: Cluster) => Promise<void>): Promise<void> {
  const held = new Map<number, MemberHoldings>();
  await Cluster.play(
    async (cluster) => {
      const machine = cluster.network.host('machine');
      const { client: setup } = cluster.client();
      await setup.create('/a');
      await setup.close();
      const leader = cluster.leader!;
      const follower = cluster.members.find((member) => member !== leader)!;
      for (const member of [leader, follower]) await act(await opened(machine, member), cluster);
      await cluster.until(() =>
        [...held.values()].every((one) => one.attachedSessions === 0 && one.bytesInFlight === 0),
      );
      await cluster.sleep(1_000);
      for (const [id, { peerLinks, unprovenLinks, ...rest }] of held) {
        assert.equal(rest, NOTHING, `member ${id}`);
        assert.equal([peerLinks, unprovenLinks], [2, 0], `member ${id}`);
      }
    },
    { voters: 3, probe: ({ id }) => ({ turned: (gauges) => void held.set(id, gauges.held) }) },
  );
}

function opened(machine: Parameters<typeof RawClient.open>[0], member: ClusterMember): Promise<RawClient> {
  return RawClient.open(machine, member.address, 4_000);
}

for (const [how, end] of Object.entries(ENDS)) {
  test(`a member keeps nothing of a connection if ${how}`, () =>
    heldAfter(async (client) => {
      end(client);
      await client.closed;
    }));
}

test('a member keeps nothing of the watches of connections that ended', () =>
  heldAfter(async (client, cluster) => {
    await client.exists('/a', true);
    await client.exists('/missing', true);
    await client.send(OpCode.getChildren, { path: '/a', watch: true });
    for (const mode of [0, 1]) await client.send(OpCode.addWatch, { path: '/a', mode });
    client.connection.terminate();
    await cluster.sleep(10_000);
  }));

test.run();
