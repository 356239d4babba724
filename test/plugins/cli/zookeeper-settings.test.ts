import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveServerOptions } from '../../../core/server/index.js';
import { environmentName, resolveSettings, SETTINGS } from '../../../plugins/cli/serve-settings.js';
import { zooKeeperListeners } from '../../../plugins/cli/zookeeper-listeners.js';
import { Certificates } from '../../certificates/certificates.js';
import { ask, open } from '../zookeeper/tcp-client.js';

const QUORATE = fileURLToPath(new URL('../../../plugins/cli/quorate.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorate-zookeeper-settings-'));
const certificates = new Certificates();
test.after(() => {
  rmSync(folder, { recursive: true });
  certificates[Symbol.dispose]();
});

const { server } = certificates;

function refusal(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs `quorate serve` until it is ready, and calls `then` with its ready line; or until it ends, and returns what it said. */
async function serving(
  words: readonly string[],
  environment: Record<string, string>,
  then: (line: string) => Promise<void>,
): Promise<string> {
  const child = spawn(process.execPath, [QUORATE, 'serve', '--log-level', 'error', ...words], {
    env: { ...process.env, ...environment },
    timeout: 30_000,
  });
  let said = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = new Promise<void>((resolve) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      if (/is ready at .*\n/.test(said)) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  await Promise.race([ready, ended]);
  if (child.exitCode === null) await then(said).finally(() => child.kill('SIGTERM'));
  await ended;
  return said;
}

test('every setting that scripts drive a member by has its flag and its variable', () => {
  const FLAGS =
    'id ensemble data host port zookeeper-port tick-ms min-session-ms max-session-ms super-digest container-check-ms enforce-quota no-ttl-nodes max-packet-bytes secure-zookeeper-port tls-cert tls-key tls-ca';
  const flags = SETTINGS.map(({ flag }) => flag.split(' ')[0]!.slice(2));
  for (const flag of FLAGS.split(' ')) assert.ok(flags.includes(flag), flag);
  assert.is(environmentName('secureZookeeperPort'), 'QUORATE_SECURE_ZOOKEEPER_PORT');
  assert.is(environmentName('zookeeperPort'), 'QUORATE_ZOOKEEPER_PORT');
});

test('the ports of ZooKeeper come from a flag, the environment or the file, in this order', () => {
  const configFile = join(folder, 'config.json');
  writeFileSync(
    configFile,
    '{"data":"d","zookeeperPort":1,"secureZookeeperPort":2,"tlsCert":"c","tlsKey":"k"}',
  );
  const settings = resolveSettings({
    flags: { zookeeperPort: '11' },
    environment: { QUORATE_ZOOKEEPER_PORT: '12', QUORATE_TLS_KEY: 'l' },
    configFile,
  });
  assert.equal(
    [settings.zookeeperPort, settings.secureZookeeperPort, settings.tlsCert, settings.tlsKey],
    [11, 2, 'c', 'l'],
  );
});

test('without a port for ZooKeeper its clients are not taken in', () => {
  assert.equal(zooKeeperListeners({}), []);
});

test('a ZooKeeper port with TLS needs the certificates of the member', () => {
  assert.match(
    refusal(() => zooKeeperListeners({ secureZookeeperPort: 0 })),
    /Option tlsCert: secureZookeeperPort needs it/,
  );
});

test('a port or a list of words that cannot be is refused', () => {
  assert.match(
    refusal(() => zooKeeperListeners({ zookeeperPort: 65_536 })),
    /zookeeperPort: 65536 is not a port/,
  );
  assert.match(
    refusal(() => zooKeeperListeners({ zookeeperPort: 0, fourLetterWords: 'x' })),
    /fourLetterWords: "x" is no four-letter word/,
  );
});

test('bad values of what a member does are refused by name', () => {
  const BAD: [Record<string, unknown>, RegExp][] = [
    [{ id: 0 }, /Option id: 0 is not allowed.*1 to 254/],
    [{ id: 255 }, /Option id/],
    [{ tickMs: 1 }, /Option tickMs/],
    [{ minSessionMs: 1_000, maxSessionMs: 999 }, /Option maxSessionMs: 999.*from 1000/],
    [{ superDigest: 'super:admin' }, /Option superDigest: .*user:base64/],
    [{ containerCheckMs: 0 }, /Option containerCheckMs/],
    [{ maxPacketBytes: 10 }, /Option maxPacketBytes/],
  ];
  for (const [options, message] of BAD)
    assert.match(
      refusal(() => resolveServerOptions(options)),
      message,
    );
});

test('a member takes clients in at every port that it says it is ready at', async () => {
  const words = [
    '--data',
    join(folder, 'a'),
    '--port',
    '0',
    '--zookeeper-port',
    '0',
    '--max-session-ms',
    '7000',
  ];
  const environment = {
    QUORATE_SECURE_ZOOKEEPER_PORT: '0',
    QUORATE_TLS_CERT: server.certFile,
    QUORATE_TLS_KEY: server.keyFile,
    QUORATE_FOUR_LETTER_WORDS: 'srvr',
  };
  const said = await serving(words, environment, async (line) => {
    const [, port] =
      /is ready at wss:\/\/127\.0\.0\.1:\d+ and zk:\/\/127\.0\.0\.1:(\d+) and zks:\/\/127\.0\.0\.1:\d+$/m.exec(
        line,
      )!;
    const client = await open(Number(port), 60_000);
    assert.is(client.response!.timeoutMs, 7_000);
    assert.match(await ask(Number(port), 'ruok'), /not in the whitelist/);
    client.connection.terminate();
  });
  assert.match(said, /is ready at/);
});

test('a member that cannot be started as it was told says why, and ends', async () => {
  const words = ['--data', join(folder, 'b'), '--port', '0', '--zookeeper-port', 'many'];
  const said = await serving(words, {}, () => Promise.reject(new Error('it started')));
  assert.match(said, /INVALID_CONFIGURATION: Option --zookeeper-port: "many" is not a whole number/);
});

test.run();
