import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { peerKey } from '../../../../core/server/peers/peer-handshake.js';
import { PeerLinks, type PeerCodec } from '../../../../core/server/peers/peer-links.js';
import { SeededRandom, VirtualClock } from '../../../../core/testing/index.js';
import { MemoryNetwork, type Connection } from '../../../../core/transport/index.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  PEER_PROTOCOL,
  PeerMessageError,
  spokenVersions,
  type PeerMessage,
} from '../../../../core/zab/index.js';
import { LogBook } from '../world.js';

const SILENCE_MS = 1_000;
const SECRET = new Uint8Array(32).fill(1);

/** Messages of every version, each of which names its version in its first byte. */
const VERSIONED: PeerCodec = {
  encode: (message, version) => Buffer.concat([Uint8Array.of(version), encodePeerMessage(message)]),
  decode(bytes, version) {
    if (bytes[0] !== version) throw new PeerMessageError(`version ${bytes[0]} on a link of ${version}`, 0);
    return decodePeerMessage(bytes.subarray(1));
  },
};

/** One end, with a diary of what it has heard. */
interface End {
  readonly links: PeerLinks;
  readonly log: LogBook;
  readonly diary: string[];
  /** Connections that were made to it. */
  readonly accepted: Connection[];
}

class Town {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock, { latencyMs: () => 1 });
  readonly ends: End[] = [];

  add(
    id: number,
    {
      secret = SECRET,
      ensemble = 'members 1, 2, 3',
      others = [1, 2, 3].filter((other) => other !== id),
      version = PEER_PROTOCOL.newest,
    } = {},
  ): End {
    const log = new LogBook();
    const diary: string[] = [];
    const accepted: Connection[] = [];
    const links = new PeerLinks({
      identity: { id, ensemble, keys: [peerKey(secret)], others, versions: spokenVersions(version) },
      codec: VERSIONED,
      addresses: new Map(others.map((other) => [other, `${other}`])),
      dialer: this.network.dialer(`${id}`),
      clock: this.clock,
      random: new SeededRandom(id),
      logger: log,
      silenceMs: SILENCE_MS,
      tickMs: SILENCE_MS / 5,
      maxQueuedBytes: 1_000_000,
    });
    this.network.listen(`${id}`, (connection) => {
      accepted.push(connection);
      links.accept(connection);
    });
    links.start({
      connected: (peer, link) => void diary.push(`up ${peer} ${link}`),
      snapshotRefused: () => undefined,
      disconnected: (peer, link) => void diary.push(`down ${peer} ${link}`),
      received: (peer, link, message) => void diary.push(`${message.type} ${peer} ${link}`),
    });
    const end = { links, log, diary, accepted };
    this.ends.push(end);
    return end;
  }

  /** Lets time pass, with ticks, as members do. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      await this.clock.advance(Math.min(100, left));
      for (const { links } of this.ends) links.tick(this.clock.now(), false);
    }
  }
}

const ping: PeerMessage = { type: 'ping', epoch: 1, nonce: 1, heard: 0, payload: new Uint8Array(0) };
const commit: PeerMessage = { type: 'commit', epoch: 1, zxid: 5n };

function problems(end: End): string[] {
  return end.log.lines
    .filter(({ level }) => level !== 'debug')
    .map(({ message, fields }) => `${message}: ${fields.problem as string}`);
}

test('of two members the one with the lower id dials, and messages pass both ways in one frame per turn', async () => {
  const town = new Town();
  const [one, two] = [town.add(3), town.add(2)];
  await town.pass(200);
  assert.equal([one.accepted.length, two.accepted.length], [1, 0]);
  assert.equal([one.diary, two.diary], [['up 2 1'], ['up 3 1']]);

  one.links.send(2, 1, commit);
  one.links.send(2, 1, ping);
  one.links.flush();
  two.links.send(3, 1, commit);
  two.links.flush();
  await town.pass(100);
  assert.equal(two.diary.slice(1), ['ping 3 1', 'commit 3 1'], 'heartbeats go first');
  assert.equal(one.diary.slice(1), ['commit 2 1']);
});

test('what is sent over a link that is not the current one goes nowhere', async () => {
  const town = new Town();
  const [one, two] = [town.add(3), town.add(2)];
  await town.pass(200);
  one.links.send(2, 7, commit);
  one.links.send(1, 1, commit);
  one.links.flush();
  await town.pass(100);
  assert.equal(two.diary, ['up 3 1']);
});

test('a link that breaks is told, and made anew with a higher number, whichever end lost it', async () => {
  const town = new Town();
  const [one, two] = [town.add(3), town.add(2)];
  await town.pass(200);
  one.accepted[0]!.terminate();
  await town.pass(500);
  assert.equal(one.diary, ['up 2 1', 'down 2 1', 'up 2 2']);
  assert.equal(two.diary, ['up 3 1', 'down 3 1', 'up 3 2']);

  one.links.close(2, 2, 'enough of it');
  await town.pass(500);
  assert.equal(one.diary.slice(3), ['up 2 3'], 'who closes it knows that it is down');
  assert.equal(two.diary.slice(3), ['down 3 2', 'up 3 3']);
});

test('a member that is not there is dialled again and again, more and more slowly, and with few words', async () => {
  const town = new Town();
  const two = town.add(2, { others: [3] });
  await town.pass(30_000);
  const unreachable = two.log.lines.filter(({ message }) => message === 'Peer cannot be reached');
  assert.is(unreachable.filter(({ level }) => level === 'warn').length, 1);
  assert.ok(unreachable.filter(({ level }) => level === 'debug').length > 10);
  const one = town.add(3);
  await town.pass(600);
  assert.equal(one.diary, ['up 2 1']);
});

test('a link that breaks after a long outage is made anew at once, as one that breaks for the first time', async () => {
  const town = new Town();
  const two = town.add(2, { others: [3] });
  await town.pass(10_000);
  const one = town.add(3);
  await town.pass(600);
  one.accepted[0]!.terminate();
  await town.pass(100);
  assert.equal(two.diary, ['up 3 1', 'down 3 1', 'up 3 2']);
});

test('the newest link wins, because who dials again has lost the old one', async () => {
  const town = new Town();
  const one = town.add(3);
  const first = town.add(2, { others: [3] });
  await town.pass(200);
  first.links.stop();
  const again = new PeerLinksOf(town, 2);
  await town.pass(500);
  assert.equal(one.diary.at(-1), 'up 2 2');
  assert.equal(again.diary, ['up 3 1']);
});

test('a link that is made anew closes the older one, which the other end may not know to be broken', async () => {
  const town = new Town();
  const one = town.add(3);
  town.add(2, { others: [3] });
  await town.pass(200);
  const [older] = one.accepted;
  const again = new PeerLinksOf(town, 2);
  await town.pass(10);
  assert.equal(again.diary, ['up 3 1']);
  assert.is(older!.isOpen, false);
});

test('a link that a newer one replaces is reported as down first, so that half a snapshot is let go of', async () => {
  const town = new Town();
  const one = town.add(3);
  town.add(2, { others: [3] });
  await town.pass(200);
  const again = new PeerLinksOf(town, 2);
  await town.pass(10);

  assert.equal(again.diary, ['up 3 1']);
  assert.equal(one.diary, ['up 2 1', 'down 2 1', 'up 2 2']);
});

/** A second process of a member that has a listener already. */
class PeerLinksOf {
  readonly diary: string[] = [];

  constructor(town: Town, id: number) {
    const links = new PeerLinks({
      identity: { id, ensemble: 'members 1, 2, 3', keys: [peerKey(SECRET)], others: [3] },
      addresses: new Map([[3, '3']]),
      dialer: town.network.dialer(`${id}`),
      clock: town.clock,
      random: new SeededRandom(99),
      logger: new LogBook(),
      silenceMs: SILENCE_MS,
      tickMs: SILENCE_MS / 5,
      maxQueuedBytes: 1_000_000,
    });
    links.start({
      connected: (peer, link) => void this.diary.push(`up ${peer} ${link}`),
      snapshotRefused: () => undefined,
      disconnected: (peer, link) => void this.diary.push(`down ${peer} ${link}`),
      received: () => undefined,
    });
  }
}

test('an idle link stays, and one whose other end is silent is given up', async () => {
  const town = new Town();
  const [one, two] = [town.add(3), town.add(2)];
  await town.pass(200);
  await town.pass(5 * SILENCE_MS);
  assert.equal(one.diary, ['up 2 1']);

  town.ends.splice(town.ends.indexOf(two), 1);
  await town.pass(SILENCE_MS + 200);
  assert.is(one.diary[1], 'down 2 1');
  assert.ok(one.log.has(/is silent/));
});

test('a link over which messages went stays when it is idle', async () => {
  const town = new Town();
  const [one, two] = [town.add(3), town.add(2)];
  await town.pass(200);
  one.links.send(2, 1, commit);
  two.links.send(3, 1, commit);
  for (const { links } of [one, two]) links.flush();
  await town.pass(5 * SILENCE_MS);
  for (const { diary } of [one, two])
    assert.not(
      diary.some((line) => line.startsWith('down')),
      diary.join(),
    );
});

test('after a pause of the own process nobody is given up for silence', async () => {
  const town = new Town();
  const one = town.add(3);
  town.add(2);
  await town.pass(200);
  await town.clock.advance(10 * SILENCE_MS);
  one.links.tick(town.clock.now(), true);
  await town.pass(300);
  assert.equal(one.diary, ['up 2 1']);
});

test('a link on which more waits than may be kept is dropped', async () => {
  const town = new Town();
  const one = town.add(3);
  const two = town.add(2);
  await town.pass(200);
  two.links.pause();
  const bytes = new Uint8Array(400_000);
  for (let count = 0; count < 8; count++) {
    one.links.send(2, 1, { type: 'application', epoch: 1, bytes });
    one.links.flush();
  }
  assert.is(one.diary[1], 'down 2 1');
  assert.ok(one.log.has(/takes in too little/));
});

test('members of two versions speak on each link the newest version that both know', async () => {
  const town = new Town();
  const ends = [town.add(3, { version: 5 }), town.add(2, { version: 5 }), town.add(1, { version: 4 })];
  await town.pass(300);
  for (const [index, peers] of [
    [1, 2],
    [1, 3],
    [2, 3],
  ].entries()) {
    for (const peer of peers) ends[index]!.links.send(peer, 1, commit);
    for (const peer of peers) ends[index]!.links.send(peer, 2, commit);
    ends[index]!.links.flush();
  }
  await town.pass(100);
  for (const { diary, log } of ends) {
    assert.is(diary.filter((line) => line.startsWith('commit')).length, 2, diary.join(', '));
    assert.ok(log.has(/Peer link established/));
  }
});

test('a member two versions behind is refused, and both ends say which versions they speak', async () => {
  const town = new Town();
  const ends = [town.add(3, { version: 7 }), town.add(2, { others: [3], version: 5 })];
  await town.pass(1_000);
  const reason = 'member 2 speaks peer protocol 4 and 5, member 3 speaks 6 and 7: upgrade member 2';
  for (const end of ends) {
    assert.equal(end.diary, []);
    assert.ok(
      problems(end).some((line) => line.includes(reason)),
      problems(end).join('\n'),
    );
  }
});

for (const [what, options, reason] of [
  ['another secret', { secret: new Uint8Array(32) }, 'member 3 has another secret'],
  ['another list of members', { ensemble: 'members 1, 2' }, 'member 2 is of another ensemble: members 1, 2'],
] as const) {
  test(`a member with ${what} is refused, and both ends say why`, async () => {
    const town = new Town();
    const one = town.add(3);
    const two = town.add(2, { others: [3], ...options });
    await town.pass(3_000);
    assert.equal([one.diary, two.diary], [[], []]);
    for (const end of [one, two]) {
      const told = problems(end);
      assert.ok(
        told.some((line) => line.includes(reason)),
        told.join('\n'),
      );
      assert.ok(told.length < 5, 'and do not repeat it');
    }
  });
}

test('a member that is not expected, or looks for another one, is refused', async () => {
  const town = new Town();
  const one = town.add(3, { others: [2] });
  town.add(1, { others: [3] });
  await town.pass(1_000);
  assert.equal(one.diary, []);
  assert.ok(problems(one).some((line) => line.includes('member 1 is not another member of this ensemble')));

  const other = new Town();
  const two = other.add(2, { others: [3, 1] });
  other.network.listen('3', (connection) => two.links.accept(connection));
  other.add(1, { others: [3] });
  await other.pass(1_000);
  assert.ok(problems(two).some((line) => line.includes('member 3 was looked for, but this is member 2')));
});

test('a stranger that proves nothing is cut off after a while, and strangers cannot use up everything', async () => {
  const town = new Town();
  const one = town.add(3);
  const ends: string[] = [];
  for (let count = 0; count < 100; count++) {
    const connection = town.network.dial('3', { signal: new AbortController().signal });
    void connection.then((open) =>
      open.handle({ message: () => undefined, closed: ({ text }) => void ends.push(text) }),
    );
  }
  await town.pass(500);
  assert.is(ends.length, 100 - 64);
  await town.pass(2_000);
  assert.is(ends.length, 100);
  assert.ok(ends.at(-1)!.includes('did not prove in time'));
  const two = town.add(2);
  await town.pass(200);
  assert.equal([one.diary, two.diary], [['up 2 1'], ['up 3 1']]);
});

test('members that are refused again and again, at either end, take no place of those that are expected', async () => {
  const town = new Town();
  const one = town.add(3, { others: [1, 2] });
  const two = town.add(2, { others: [3], secret: new Uint8Array(32) });
  await town.pass(60_000);
  for (const { links } of [one, two]) assert.ok(links.unproven <= 1, `${links.unproven} have proved nothing`);
  assert.ok(one.accepted.length > 100, `${one.accepted.length} attempts`);
  town.add(1, { others: [3] });
  await town.pass(200);
  assert.equal(one.diary, ['up 1 1']);
});

test('whatever a stranger sends, it gets no link and disturbs none', async () => {
  const town = new Town();
  const one = town.add(3);
  town.add(2);
  await town.pass(200);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), async (messages) => {
      const dialled = town.network.dial('3', { signal: new AbortController().signal });
      const connection = await town.clock.waitFor(dialled, 100);
      connection.handle({ message: () => undefined, closed: () => undefined });
      for (const bytes of messages) connection.send(Uint8Array.from(bytes));
      await town.pass(10);
      connection.terminate();
    }),
    { numRuns: 50 },
  );
  assert.equal(one.diary, ['up 2 1']);
});

test('an authenticated member that sends nonsense loses its link, with a log line, and comes again', async () => {
  for (const bytes of [
    [9, 9],
    [0, 0, 0, 0, 1, 200],
  ]) {
    const town = new Town();
    const one = town.add(3);
    const raw: Connection[] = [];
    const dialer = town.network.dialer('2');
    const dial = dialer.dial.bind(dialer);
    dialer.dial = async (address, options) => {
      const connection = await dial(address, options);
      raw.push(connection);
      return connection;
    };
    const network = { dialer: () => dialer, listen: town.network.listen.bind(town.network) };
    Object.assign(town, { network });
    town.add(2, { others: [3] });
    await town.pass(200);
    raw[0]!.send(Uint8Array.from(bytes));
    await town.pass(300);
    assert.equal(one.diary, ['up 2 1', 'down 2 1', 'up 2 2']);
    assert.ok(one.log.has(/what cannot be read/));
  }
});

test('a member that is stopping closes its links and makes no more', async () => {
  const town = new Town();
  const [one, two] = [town.add(3), town.add(2)];
  await town.pass(200);
  two.links.stop();
  two.links.stop();
  await town.pass(2_000);
  assert.equal(one.diary, ['up 2 1', 'down 2 1']);
  assert.equal(two.links.connected, []);
});

test.run();
