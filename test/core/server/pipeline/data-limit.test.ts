import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger } from '../../../../core/runtime/index.js';
import { DataLimit } from '../../../../core/server/pipeline/data-limit.js';
import { LogBook } from '../world.js';

test('the least that the leader or a voter allows counts, as long as that voter follows', () => {
  const limit = new DataLimit(100, silentLogger);
  assert.is(limit.bytes, 100);
  assert.ok(limit.report(2, 60));
  assert.not(limit.report(3, 80));
  assert.is(limit.bytes, 60);
  assert.ok(limit.report(2, null));
  assert.is(limit.bytes, 80);
  assert.ok(limit.report(3, 500));
  assert.is(limit.bytes, 100);
});

test('a leader without a limit keeps to that of a voter', () => {
  const limit = new DataLimit(null, silentLogger);
  assert.is(limit.bytes, Infinity);
  limit.report(2, 60);
  assert.is(limit.bytes, 60);
});

test('refused growth is logged once, and once more when there is room again', () => {
  const log = new LogBook();
  const limit = new DataLimit(100, log);
  limit.watch(0, 99);
  assert.not(limit.isRefusing);
  limit.watch(3, 99);
  limit.watch(9, 99);
  limit.watch(9, 96);
  assert.ok(limit.isRefusing);
  limit.watch(9, 94);
  assert.not(limit.isRefusing);
  assert.equal(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  );
  assert.equal(log.lines[0]!.fields, { bytes: 99, limit: 100 });
});

test.run();
