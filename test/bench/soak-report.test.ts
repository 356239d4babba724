import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findings, soakSection, type SoakReport } from './soak-report.js';
import { growth, type ProcessVitals } from './vitals.js';

const MIB = 2 ** 20;
const MINUTES = 20;

interface Told {
  /** MiB that the heap of the spared member has at a minute. */
  readonly heap?: (minute: number) => number;
  readonly complaints?: readonly string[];
  readonly after?: Partial<ProcessVitals>;
}

function report({ heap = () => 30, complaints = [], after = {} }: Told): SoakReport {
  const own = { heapBytes: 20 * MIB, timers: 1, handles: 3 };
  const vitals = { ...own, pid: 7, residentBytes: 100 * MIB, descriptors: 24 };
  const samples = Array.from({ length: MINUTES }, (_, index) => ({
    minute: index + 1,
    members: new Map([[1, { ...vitals, heapBytes: heap(index + 1) * MIB }]]),
    own,
    dataBytes: 0,
    acknowledged: index,
    perSecond: 1,
    longestGapMs: 5,
  }));
  return {
    minutes: MINUTES,
    rate: 1,
    highest: 2,
    kills: 3,
    leaderKills: 1,
    spared: 1,
    samples,
    writes: { acknowledged: 20, unknown: 0, refused: 0, reads: 20, visits: 20, complaints },
    before: { members: new Map([[1, vitals]]), own },
    after: { members: new Map([[1, { ...vitals, ...after }]]), own },
  };
}

test('an hour in which nothing grows and nothing is lost has no findings', () => {
  const told = report({});

  assert.equal(findings(told), []);
  assert.match(soakSection(told, [], { directory: null, link: '' }).body, 'nothing found');
});

test('a heap that grows all the time is found, one that grew before the second half is not', () => {
  assert.match(
    findings(report({ heap: (minute) => 30 + minute })).join(),
    'the heap of member 1 grew by 10.0 MiB',
  );
  assert.equal(findings(report({ heap: (minute) => Math.min(60, 30 + 4 * minute) })), []);
});

test('a lost write, and descriptors and timers that are left behind, are found', () => {
  const found = findings(
    report({ complaints: ['/soak/w1 lost one'], after: { descriptors: 60, timers: 9 } }),
  );

  assert.equal(found, [
    '/soak/w1 lost one',
    'member 1 has 60 descriptors, 24 before',
    'member 1 has 9 timers, 1 before',
  ]);
});

test('growth is that of the straight line through all moments', () => {
  const points = [0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x }));

  assert.is(growth(points), 6);
  assert.is(growth([{ x: 1, y: 9 }]), 0);
});

test.run();
