/** No traffic changes a leader whose loop turns within a tick: virtual time, no faults, floods of several forms. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cluster, type LineQuality } from '../../../../core/testing/index.js';

interface Flood {
  readonly what: string;
  readonly line: Partial<LineQuality>;
  /** Whose clients flood. */
  readonly at: 'the leader' | 'a follower';
  readonly everyMs: number;
  /** Of each write; absent: the requests are `sync`s. */
  readonly bytes?: number;
}

const SYNCS = { everyMs: 1, line: { latencyMs: 40, jitterMs: 1 } };
const FLOODS: readonly Flood[] = [
  { what: 'a thousand syncs a second, each round trip of 80 ms', at: 'the leader', ...SYNCS },
  { what: 'a thousand forwarded syncs a second, each round trip of 80 ms', at: 'a follower', ...SYNCS },
  {
    what: 'more than a slow line carries',
    at: 'the leader',
    everyMs: 50,
    bytes: 900_000,
    line: { bytesPerMs: 300 },
  },
  {
    what: 'more than it can forward',
    at: 'a follower',
    everyMs: 50,
    bytes: 900_000,
    line: { bytesPerMs: 1_000 },
  },
];
const FLOOD_MS = 6_000;

for (const { what, line, at, everyMs, bytes } of FLOODS) {
  test(`a leader keeps its epoch while ${at} is asked for ${what}`, async () => {
    await Cluster.play(
      async (cluster) => {
        const leader = cluster.leader!;
        const follower = cluster.members.find((member) => member !== leader)!;
        const target = at === 'the leader' ? leader : follower;
        const { client } = cluster.client({ members: [target.id] });
        await client.connected();
        await client.create('/a', null);
        const epoch = leader.member!.health().epoch;
        const endMs = cluster.clock.now() + FLOOD_MS;
        while (cluster.clock.now() < endMs) {
          // Requests beyond the client's queue are refused: the flood is as dense as a client makes it.
          const request =
            bytes === undefined ? client.sync('/') : client.setData('/a', new Uint8Array(bytes));
          request.catch(() => undefined);
          await cluster.sleep(everyMs);
          assert.is(cluster.leader, leader);
        }
        for (const { member } of cluster.members) assert.is(member!.health().epoch, epoch);
      },
      { seed: 5, line },
    );
  });
}

test.run();
