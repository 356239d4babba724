import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../core/runtime/index.js';
import { LastKnownGood } from '../../../framework/config/last-known-good.js';

const directory = mkdtempSync(join(tmpdir(), 'quorate-known-good-'));
test.after(() => rmSync(directory, { recursive: true }));

test('the newest value saved is the one loaded', async () => {
  const known = new LastKnownGood(join(directory, 'deep', 'er'), silentLogger);
  await Promise.all([1, 2, 3].map((limit) => known.save('billing', { limit })));
  assert.equal(await known.load('billing'), { value: { limit: 3 }, withheld: [] });
  assert.equal(readdirSync(join(directory, 'deep', 'er')), ['billing.json']);
});

test('a name that is no file name is kept all the same', async () => {
  const known = new LastKnownGood(directory, silentLogger);
  await known.save('a b:c*?', null);
  assert.equal(await known.load('a b:c*?'), { value: null, withheld: [] });
});

test('what is missing or damaged is not known, and says so in the log', async () => {
  const lines: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void lines.push(message) };
  const known = new LastKnownGood(directory, logger);
  writeFileSync(join(directory, 'torn.json'), '{"value":');
  writeFileSync(join(directory, 'other.json'), '5');

  assert.is(await known.load('missing'), undefined);
  assert.equal(lines, []);
  assert.is(await known.load('torn'), undefined);
  assert.is(await known.load('other'), undefined);
  assert.is(lines.length, 2);
});

test('a directory that cannot be written is a log line and no failure', async () => {
  const lines: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void lines.push(message) };
  writeFileSync(join(directory, 'file'), '');
  await new LastKnownGood(join(directory, 'file'), logger).save('billing', {});
  assert.equal(lines, ['the last known good configuration cannot be kept on disk']);
});

const SECRET_SCHEMA = {
  properties: { smtp: { properties: { password: { type: 'string', secret: true } } } },
};

test('secrets are left out and named, unless they are asked for', async () => {
  const place = join(directory, 'secrets');
  const value = { smtp: { host: 'mail', password: 'hunter2' } };
  const known = new LastKnownGood(place, silentLogger);
  await known.save('shop', value, SECRET_SCHEMA);
  assert.not.match(readFileSync(join(place, 'shop.json'), 'utf8'), /hunter2/);
  assert.equal(await known.load('shop'), { value: { smtp: { host: 'mail' } }, withheld: ['smtp.password'] });

  const keeping = new LastKnownGood({ directory: place, secrets: true }, silentLogger);
  await keeping.save('shop', value, SECRET_SCHEMA);
  assert.equal(await keeping.load('shop'), { value, withheld: [] });
});

test('the directory has the mode 0700 and files 0600; older files get it when they are read', async () => {
  const modeOf = (path: string): number => lstatSync(path).mode & 0o777;
  const place = join(directory, 'modes');
  const known = new LastKnownGood(place, silentLogger);
  await known.save('a', 1);
  assert.is(modeOf(place), 0o700);
  assert.is(modeOf(join(place, 'a.json')), 0o600);
  writeFileSync(join(place, 'b.json'), '{"value":2}');
  chmodSync(join(place, 'b.json'), 0o644);
  assert.equal(await known.load('b'), { value: 2, withheld: [] });
  assert.is(modeOf(join(place, 'b.json')), 0o600);
});

test('a planted link is neither followed nor read, and a directory open to others is named', async () => {
  const lines: [string, Readonly<Record<string, unknown>>][] = [];
  const logger = {
    ...silentLogger,
    warn: (message: string, fields = {}) => void lines.push([message, fields]),
  };
  const place = join(directory, 'planted');
  const victim = join(directory, 'victim');
  writeFileSync(victim, '{"value":"of others"}');
  mkdirSync(place);
  chmodSync(place, 0o777);
  for (const name of ['shop.json.new', 'mail.json']) symlinkSync(victim, join(place, name));
  const known = new LastKnownGood(place, logger);
  await known.save('shop', { limit: 1 });
  assert.is(await known.load('mail'), undefined);
  assert.is(readFileSync(victim, 'utf8'), '{"value":"of others"}');
  assert.equal(
    lines.map(([message]) => message),
    [
      'The directory of the last known good configuration is not private',
      'the last known good configuration cannot be kept on disk',
      'the last known good configuration on disk cannot be read',
    ],
  );
  assert.match(String(lines[0]![1]['problem']), /0777/);
  for (const [, { error }] of lines.slice(1)) assert.is((error as { code?: string }).code, 'LINK_REFUSED');
});

test.run();
