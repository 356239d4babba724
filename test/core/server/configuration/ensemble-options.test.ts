import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkEnsemble,
  describeEnsemble,
  parseEnsemble,
} from '../../../../core/server/configuration/ensemble.js';
import { ensembleSecrets, loopbackSecret } from '../../../../core/server/configuration/ensemble-secret.js';
import { ConfigurationError, serve, type ServeOptions } from '../../../../core/server/index.js';
import { LogBook } from '../world.js';

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

async function problemOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'none',
    (error: unknown) => {
      if (!(error instanceof ConfigurationError)) throw error;
      return `${error.option}: ${error.message}`;
    },
  );
}

test('members are read from text, with or without scheme, port and role', () => {
  assert.equal(parseEnsemble('1=a:7300, 2=b,3=wss://C.example:9:observer,4=[::1]:7301:voter'), [
    { id: 1, address: 'ws://a:7300', isObserver: false },
    { id: 2, address: 'ws://b:7300', isObserver: false },
    { id: 3, address: 'wss://c.example:9', isObserver: true },
    { id: 4, address: 'ws://[::1]:7301', isObserver: false },
  ]);
});

test('text that names no members is refused, naming the part', () => {
  for (const text of ['a:7300', '1=', '1=a:0', '1=a:99999', '1=a:7300:learner', 'x=a', '1=a b']) {
    assert.throws(
      () => parseEnsemble(text),
      (error: Error) => error.message.includes(`"${text}"`),
    );
  }
});

test('members that make no ensemble are refused', () => {
  const problem = (text: string, id: number): string => {
    try {
      checkEnsemble(parseEnsemble(text), id);
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.is(problem('1=a,2=b,3=c:7300:observer', 3), 'none');
  assert.match(problem('1=a,2=b', 3), /member 3, which this is, does not stand there/);
  assert.match(problem('1=a,1=b', 1), /member 1 stands there twice/);
  assert.match(problem('1=a,2=a', 1), /two members have the address ws:\/\/a:7300/);
  assert.match(problem('255=a', 255), /Number the members from 1 to 254/);
  assert.match(problem('1=a:7300:observer', 1), /no member with a vote/);
});

test('two descriptions are the same when those who vote are, wherever they are reached', () => {
  const of = (text: string): string => describeEnsemble(parseEnsemble(text));
  assert.is(of('2=b,1=a'), of('1=127.0.0.1,2=127.0.0.1:7301'));
  assert.is(of('1=a,2=b'), of('1=a,2=b,3=c:7300:observer'));
  assert.is.not(of('1=a,2=b'), of('1=a,2=b:7300:observer'));
  assert.is.not(of('1=a,2=b'), of('1=a,2=b,3=c'));
});

test('an ensemble of several without a secret, or with one that can be guessed, does not start', async () => {
  const ensemble = '1=localhost:7300,2=b.example:7301';
  const start = (options: Partial<ServeOptions>): Promise<string> =>
    problemOf(serve({ data, id: 1, port: 0, ensemble, ...options }));
  assert.match(await start({}), /^secret: .*needs one.*same secret/);
  assert.match(await start({ secret: 'short' }), /^secret: .*5 characters/);
  assert.match(await start({ secret: '   ' }), /^secret: .*needs one/);
  assert.match(await start({ secretFile: join(data, 'none') }), /^secretFile: .*ENOENT/);
  const both = { secret: 'x'.repeat(20), secretFile: join(data, 'none') };
  assert.match(await start(both), /^secret: .*twice/);
});

test('the same text is the same secret, from a file too', async () => {
  const file = join(data, 'secret');
  await writeFile(file, '0123456789abcdef\n');
  const fromFile = await ensembleSecrets({ secretFile: file });
  assert.equal(fromFile, await ensembleSecrets({ secret: '0123456789abcdef' }));
  assert.is(fromFile.length, 1);
  assert.is(fromFile[0]!.length, 32);
  assert.not.equal(fromFile, await ensembleSecrets({ secret: '0123456789abcdeg' }));
});

test('a file may hold two secrets, each of which has to be long enough, and no third', async () => {
  const file = join(data, 'secrets');
  await writeFile(file, ' 0123456789abcdef\n\nfedcba9876543210 \n');
  const [first] = await ensembleSecrets({ secret: '0123456789abcdef' });
  const [second] = await ensembleSecrets({ secret: 'fedcba9876543210' });
  assert.equal(await ensembleSecrets({ secretFile: file }), [first, second]);
  assert.equal(await ensembleSecrets({ secret: '0123456789abcdef\n0123456789abcdef' }), [first]);
  const problem = (secret: string): Promise<string> => ensembleSecrets({ secret }).then(String, String);
  assert.match(await problem('0123456789abcdef\nshort'), /Option secret: .*5 characters/);
  assert.match(await problem('a\nb\nc'), /Option secret: .*3 of them/);
});

test('only an ensemble that listens and is reached at loopback alone can do without a secret', async () => {
  const start = (ensemble: string, options: Partial<ServeOptions> = {}): Promise<string> =>
    problemOf(serve({ data, id: 1, port: 0, ensemble, ...options }));
  const here = '1=localhost:7300,2=127.0.0.2:7301,3=[::1]:7302';
  for (const elsewhere of [
    '10.0.0.1',
    '127.0.0.1.example',
    'localhost.example',
    '0.0.0.0',
    '[::]',
    '128.0.0.1',
  ]) {
    assert.match(
      await start(`${here},4=${elsewhere}:7303:observer`),
      /^secret: .*needs one.*loopback/,
      elsewhere,
    );
  }
  assert.match(await start(here, { host: '0.0.0.0' }), /^secret: .*needs one.*loopback/);
  assert.match(await start(here, { secret: '' }), /^secret: .*needs one/);

  const log = new LogBook();
  await using _ = await serve({ data, id: 1, port: 0, ensemble: here, logger: log });
  assert.ok(log.has(/no secret: everybody on this machine can join it/));
});

test('what stands in for a secret is the same for all members, however they name this machine, and another for other members', () => {
  const of = (text: string): Uint8Array | null => loopbackSecret(parseEnsemble(text), '127.0.0.1');
  const derived = of('1=localhost:7300,2=127.0.0.1:7301');
  assert.is(derived?.length, 32);
  assert.equal(of('2=[::1]:7301,1=127.0.0.1,3=localhost:7302:observer'), derived);
  assert.not.equal(of('1=localhost:7300,2=localhost:7302'), derived);
  assert.is(of('1=a:7300,2=localhost:7301'), null);
});

test('a member that takes itself for an observer must be one for all', async () => {
  const start = (ensemble: string, observer: boolean): Promise<string> =>
    problemOf(serve({ data, id: 1, port: 0, ensemble, observer, secret: 'x'.repeat(20) }));
  const mixed = '1=localhost,2=localhost:7301:observer';
  assert.match(await start(mixed, true), /^observer: .*as one with a vote/);
  assert.match(await start('1=localhost:7300:observer,2=localhost:7301', false), /^observer: .*an observer/);
});

test('a list of one member is a member that stands alone, and needs no secret', async () => {
  await using served = await serve({ data, id: 3, port: 0, ensemble: '3=localhost' });
  assert.equal([served.health().state, served.health().isServing], ['leading', true]);
});

test.run();
