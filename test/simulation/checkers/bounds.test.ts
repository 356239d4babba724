import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkBounds, checkDisk } from './bounds.js';
import { SampleEnsemble } from './sample-ensemble.js';

const BOUNDS = {
  uncommittedEntries: 2,
  inFlightBytes: 1000,
  proposals: 5,
  outstanding: 5,
  outputBytes: 1000,
  bytesUnderWay: 1000,
  watchPaths: 1000,
};
const ensemble = await SampleEnsemble.start();
const { end } = ensemble.ghost;

test('a member may hold what it is allowed to hold', () => {
  const gauges = ensemble.gauges({ isEstablishedLeader: true, lastProposed: end + 2n }, { requests: 10 });
  checkBounds('m1', { gauges, timers: 10 }, BOUNDS);
});

test('requests beyond the bound are found', () => {
  const gauges = ensemble.gauges({}, { requests: 11 });
  assert.throws(() => checkBounds('m1', { gauges, timers: 10 }, BOUNDS), /11 requests/);
});

test('timers that are never cancelled are found', () => {
  const gauges = ensemble.gauges();
  assert.throws(() => checkBounds('m1', { gauges, timers: 1000 }, BOUNDS), /1000 timers/);
});

test('a leader that proposes on while nothing is applied is found', () => {
  const gauges = ensemble.gauges({ isEstablishedLeader: true, lastProposed: end + 3n });
  assert.throws(() => checkBounds('m1', { gauges, timers: 1 }, BOUNDS), /3 proposals/);
});

test('of a disk, snapshots that are not needed and files that were never finished are found', () => {
  const snapshot = (zxid: number): string => `snapshot-00000000-000000010000000${zxid}`;
  checkDisk('m1', ['identity', 'log-00000000-0000000100000000', snapshot(1), snapshot(2)], 2);
  const many = [1, 2, 3, 4, 5].map(snapshot);
  assert.throws(() => checkDisk('m1', many, 2), /keeps snapshot/);
  assert.throws(() => checkDisk('m1', ['a.tmp', 'b.tmp'], 2), /leaves a.tmp,b.tmp behind/);
});

test.run();
