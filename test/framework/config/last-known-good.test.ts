import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../core/runtime/index.js';
import { LastKnownGood } from '../../../framework/config/last-known-good.js';

const directory = mkdtempSync(join(tmpdir(), 'quorate-known-good-'));
test.after(() => rmSync(directory, { recursive: true }));

test('the newest value saved is the one loaded', async () => {
  const known = new LastKnownGood(join(directory, 'deep', 'er'), silentLogger);
  await Promise.all([1, 2, 3].map((limit) => known.save('billing', { limit })));
  assert.equal(await known.load('billing'), { value: { limit: 3 } });
  assert.equal(readdirSync(join(directory, 'deep', 'er')), ['billing.json']);
});

test('a name that is no file name is kept all the same', async () => {
  const known = new LastKnownGood(directory, silentLogger);
  await known.save('a b:c*?', null);
  assert.equal(await known.load('a b:c*?'), { value: null });
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

test.run();
