/** The places that a file of the log is read from: how many there are, and that none lies behind what is looked for. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  endAt,
  noteProgress,
  positionBefore,
  segmentOf,
  type Segment,
} from '../../../core/storage/log-segment.js';
import type { LogPosition } from '../../../core/storage/log-record.js';

const HEADER_BYTES = 64;
const RECORD_BYTES = 104;

function position(count: number): LogPosition {
  return { offset: HEADER_BYTES + count * RECORD_BYTES, zxid: BigInt(count), chain: 0 };
}

/** A file with so many records, numbered from 1. */
function segmentWith(count: number): Segment {
  const segment = segmentOf('log', { firstZxid: 1n, prevZxid: 0n, chain: 0, prevEnd: 0 });
  for (let record = 1; record <= count; record++) noteProgress(segment, position(record));
  return segment;
}

test('a file of any size has few places, at most 64 KiB apart, and short files have some', () => {
  assert.ok(segmentWith(10).index.length >= 1);
  assert.ok(segmentWith(100).index.length >= 5);
  const large = segmentWith(40_000);
  const offsets = [large.start, ...large.index, large.end].map(({ offset }) => offset);
  const steps = offsets.slice(1).map((offset, index) => offset - offsets[index]!);
  assert.ok(Math.max(...steps) <= 64 * 1024 + RECORD_BYTES, `${Math.max(...steps)} bytes between two places`);
  assert.ok(large.index.length <= (40_000 * RECORD_BYTES) / (64 * 1024) + 20, `${large.index.length} places`);
});

test('the place before an entry is the closest one that does not lie behind it', () => {
  const segment = segmentWith(3000);
  for (let zxid = 0; zxid <= 3000; zxid += 7) {
    const found = positionBefore(segment, BigInt(zxid));
    const closest = [segment.start, ...segment.index].findLast((place) => place.zxid <= BigInt(zxid));
    assert.is(found, closest);
  }
});

test('after a cut no place lies behind the end, and those before it stay', () => {
  for (const cut of [0, 1, 50, 700, 2999, 3000]) {
    const segment = segmentWith(3000);
    const before = [...segment.index];
    const end = cut === 0 ? segment.start : position(cut);
    endAt(segment, end);
    assert.is(segment.end, end);
    assert.equal(
      segment.index,
      before.filter(({ offset }) => offset <= end.offset),
    );
  }
});

test.run();
