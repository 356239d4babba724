import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import { NodeDisk } from '../../../core/storage/index.js';
import { writeFoundedDirectory } from '../../core/server/founded-directory.js';
import { serveOverTcp, until, type ServedOverTcp } from './served.js';
import type { ListenerHost } from '../../../core/server/index.js';
import { FourLetterWords } from '../../../plugins/zookeeper/listener/four-letter-words.js';
import { ZooKeeperListener } from '../../../plugins/zookeeper/index.js';
import { ask, open, TcpEnd } from './tcp-client.js';

/** A member with one client, `/eph` of it, and watches of it at `/eph` and at the children of `/`. */
async function withClient(): Promise<{ served: ServedOverTcp; session: string }> {
  const served = await serveOverTcp();
  const client = await open(served.port);
  await client.create('/eph', 'data', 1);
  await client.exists('/eph', true);
  await client.send(OpCode.getChildren, { path: '/', watch: true });
  return { served, session: `0x${client.response!.sessionId.toString(16)}` };
}

function keysOf(text: string, separator: string): Record<string, string> {
  const pairs = text.split('\n').filter((line) => line.includes(separator));
  return Object.fromEntries(
    pairs.map((line) => [line.slice(0, line.indexOf(separator)), line.slice(line.indexOf(separator) + 1)]),
  );
}

test('ruok and isro are answered with the bare word, without a line end', async () => {
  await using served = await serveOverTcp();
  assert.is(await ask(served.port, 'ruok'), 'imok');
  assert.is(await ask(served.port, 'isro'), 'rw');
});

test('a client that closes its direction right behind the word gets its answer, as nc and zkServer.sh do', async () => {
  await using served = await serveOverTcp();
  for (const word of ['srvr', 'srvr\n', 'conf']) {
    const tcp = await TcpEnd.open(served.port);
    tcp.socket.end(word);
    await tcp.ended;
    assert.match(tcp.received.toString(), word === 'conf' ? /^clientPort=/ : /^Mode: standalone$/m);
  }
});

test('a word may come a byte at a time', async () => {
  await using served = await serveOverTcp();
  const tcp = await TcpEnd.open(served.port);
  for (const letter of 'ruok') {
    tcp.socket.write(letter);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await tcp.ended;
  assert.is(tcp.received.toString(), 'imok');
});

test('srvr tells version, traffic, zxid, mode and znodes under the labels that tools look for', async () => {
  const { served } = await withClient();
  await using _ = served;
  const text = await ask(served.port, 'srvr');

  assert.match(text, /^Zookeeper version: 3\.9\.\d+-\S+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC\n/);
  const values = keysOf(text, ':');
  assert.equal(Object.keys(values).slice(1), [
    'Latency min/avg/max',
    'Received',
    'Sent',
    'Connections',
    'Outstanding',
    'Zxid',
    'Mode',
    'Node count',
  ]);
  assert.match(values['Latency min/avg/max']!, /^ \d+\/\d+\.\d+\/\d+$/);
  assert.equal(
    [values.Received, values.Sent, values.Connections, values.Zxid, values.Mode, values['Node count']],
    [' 4', ' 4', ' 1', ' 0x100000002', ' standalone', ' 5'],
  );
});

test('stat is srvr with the clients in it, and cons tells of each what it did last', async () => {
  const { served, session } = await withClient();
  await using _ = served;

  assert.match(
    await ask(served.port, 'stat'),
    /^Zookeeper version: .*\nClients:\n \/127\.0\.0\.1:\d+\[1\]\(queued=0,recved=4,sent=4\)\n\nLatency min/,
  );
  assert.match(
    await ask(served.port, 'cons'),
    new RegExp(
      `^ /127\\.0\\.0\\.1:\\d+\\[1\\]\\(queued=0,recved=4,sent=4,sid=${session},lop=GETC,est=\\d{13},to=10000,` +
        'lcxid=0x3,lzxid=0x100000002,lresp=\\d{13},llat=\\d+,minlat=0,avglat=\\d+,maxlat=\\d+\\)\n\n$',
    ),
  );
});

test('mntr has the keys that exporters and dashboards read', async () => {
  const { served } = await withClient();
  await using _ = served;
  const values = keysOf(await ask(served.port, 'mntr'), '\t');

  const REQUIRED =
    'version server_state avg_latency max_latency min_latency packets_received packets_sent num_alive_connections outstanding_requests znode_count watch_count ephemerals_count approximate_data_size open_file_descriptor_count max_file_descriptor_count uptime global_sessions local_sessions last_client_response_size';
  for (const key of REQUIRED.split(' ')) assert.ok(values[`zk_${key}`] !== undefined, key);
  assert.equal(
    [values.zk_server_state, values.zk_znode_count, values.zk_watch_count, values.zk_ephemerals_count],
    ['standalone', '5', '2', '1'],
  );
  for (const [key, value] of Object.entries(values)) {
    if (!['zk_version', 'zk_server_state', 'zk_ensemble_id'].includes(key))
      assert.match(value, /^-?\d+(?:\.\d+)?$/, key);
  }
});

test('conf, dirs and envi tell the settings; kazoo finds the version in envi', async () => {
  await using served = await serveOverTcp({ minSessionMs: 300, maxSessionMs: 9_000 });

  const conf = keysOf(await ask(served.port, 'conf'), '=');
  assert.equal(
    [conf.clientPort, conf.tickTime, conf.minSessionTimeout, conf.maxSessionTimeout, conf.serverId],
    [`${served.port}`, '100', '300', '9000', '1'],
  );
  assert.match(await ask(served.port, 'dirs'), /^datadir_size: \d+\nlogdir_size: [1-9]\d*\n$/);
  assert.match(
    await ask(served.port, 'envi'),
    /^Environment:\nzookeeper\.version=3\.9\.\d+-[^=]*\n(?:\S+=.*\n)+$/,
  );
});

test('watches are told in numbers, by session and by path; ephemerals by session', async () => {
  const { served, session } = await withClient();
  await using _ = served;

  assert.is(await ask(served.port, 'wchs'), '1 connections watching 2 paths\nTotal watches:2\n');
  assert.is(await ask(served.port, 'wchc'), `${session}\n\t/eph\n\t/\n\n`);
  assert.is(await ask(served.port, 'wchp'), `/eph\n\t${session}\n/\n\t${session}\n\n`);
  assert.match(
    await ask(served.port, 'dump'),
    new RegExp(`^Sessions with Ephemerals \\(1\\):\n${session}:\n\t/eph\n`, 'm'),
  );
});

test('crst and srst begin counting anew', async () => {
  const { served } = await withClient();
  await using _ = served;

  assert.is(await ask(served.port, 'crst'), 'Connection stats reset.\n');
  assert.is(await ask(served.port, 'srst'), 'Server stats reset.\n');

  assert.match(await ask(served.port, 'cons'), /recved=0,sent=0,/);
  assert.match(await ask(served.port, 'srvr'), /^Latency min\/avg\/max: 0\/0\.0\/0\nReceived: 0\nSent: 0\n/m);
});

test('hash tells the zxid and the digest of the state', async () => {
  await using served = await serveOverTcp();
  assert.match(await ask(served.port, 'hash'), /^[0-9a-f]+: \d+\n$/);
});

test('a word that is not on the list is refused, and one that nobody knows is no word', async () => {
  await using served = await serveOverTcp({}, { fourLetterWords: 'ruok, srvr' });

  assert.is(await ask(served.port, 'ruok'), 'imok');
  assert.is(await ask(served.port, 'mntr'), 'mntr is not executed because it is not in the whitelist.\n');
  assert.is(await ask(served.port, 'nope'), '');
});

test('without a list, whoever is not on this machine may use srvr and isro alone', async () => {
  const options = { requireAuth: false };
  const host = { options, inspection: () => null, health: () => ({ isServing: false, readOnly: false }) };
  const words = new FourLetterWords({
    host: host as unknown as ListenerHost,
    allowed: null,
    clientPort: 0,
    securePort: -1,
  });
  const isAllowed = async (word: string, from: string): Promise<boolean> =>
    !(await words.answer(word, from)).includes('not in the whitelist');

  for (const here of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
    for (const word of ['ruok', 'srvr', 'mntr', 'isro', 'envi']) assert.ok(await isAllowed(word, here), here);
  for (const there of ['10.0.0.1', '::ffff:10.0.0.1', 'fe80::127', '1.127.0.1', '']) {
    assert.ok(await isAllowed('srvr', there), there);
    assert.ok(await isAllowed('isro', there), there);
    for (const word of ['ruok', 'mntr', 'envi', 'dump']) assert.not(await isAllowed(word, there), there);
  }
});

test('trace masks are not offered to anybody', async () => {
  await using served = await serveOverTcp({}, { fourLetterWords: '*' });
  assert.is(await ask(served.port, 'gtmk'), 'gtmk is not executed because it is not in the whitelist.\n');
  assert.is(await ask(served.port, 'mntr').then((text) => text.length > 100), true);
});

test('a list with something on it that is no word is refused', () => {
  assert.throws(
    () => new ZooKeeperListener({ port: 0, fourLetterWords: 'ruok,rouk' }),
    (error: Error) => /fourLetterWords: "rouk" is no four-letter word/.test(error.message),
  );
});

/** One of two members; the other one is not there. */
const ALONE = {
  id: 1,
  ensemble: [
    { id: 1, address: 'ws://127.0.0.1:1' },
    { id: 2, address: 'ws://127.0.0.1:2' },
  ],
  secret: 'a secret of the whole ensemble',
};

test('a member without a quorum says so to all words but ruok, isro and envi', async () => {
  await using served = await serveOverTcp({ ...ALONE, readOnly: false });

  for (const word of ['srvr', 'stat', 'mntr', 'cons', 'wchs']) {
    assert.is(
      await ask(served.port, word),
      'This ZooKeeper instance is not currently serving requests\n',
      word,
    );
  }
  assert.is(await ask(served.port, 'ruok'), 'imok');
  assert.is(await ask(served.port, 'isro'), 'null');
  assert.match(await ask(served.port, 'envi'), /^Environment:/);
});

test('a member that only reads says so', async () => {
  const data = mkdtempSync(join(tmpdir(), 'quorate-founded-'));
  await writeFoundedDirectory(await NodeDisk.open(data));
  await using served = await serveOverTcp({ ...ALONE, data });
  await until('it reads', () => served.member.health().readOnly);

  assert.is(await ask(served.port, 'isro'), 'ro');
  const stat = await ask(served.port, 'stat');
  assert.match(stat, /^Zookeeper version: .*\nREAD-ONLY mode; serving only read-only clients\nClients:\n/);
  assert.match(stat, /^Mode: read-only$/m);
  assert.match(await ask(served.port, 'mntr'), /^zk_server_state\tread-only$/m);
  await served.member.close();
  rmSync(data, { recursive: true });
});

test.run();
