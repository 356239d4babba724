import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PendingLayers } from '../../../../core/data/prepare/pending-layers.js';

interface Entry {
  zxid: bigint;
  readonly value: string;
}

const entry = (zxid: bigint, value: string): Entry => ({ zxid, value });

test('an entry is forgotten when its transaction is applied, unless a newer one replaced it', () => {
  const layers = new PendingLayers<string, Entry>();
  layers.put('a', entry(1n, 'one'));
  layers.put('b', entry(2n, 'two'));
  layers.put('a', entry(3n, 'three'));

  layers.applied(1n);
  assert.is(layers.find('a')?.value, 'three');
  layers.applied(2n);
  assert.is(layers.find('b'), undefined);
  layers.applied(3n);
  assert.is(layers.size, 0);
});

test('what is tried out hides what is proposed, and is kept or dropped as a whole', () => {
  const layers = new PendingLayers<string, Entry>();
  layers.put('a', entry(1n, 'old'));

  layers.attempt();
  assert.is(layers.findOwn('a'), undefined);
  layers.put('a', entry(2n, 'new'));
  layers.put('b', entry(2n, 'new'));
  assert.is(layers.find('a')?.value, 'new');
  assert.equal([...layers.entries()].map(([key, { value }]) => key + value).sort(), ['anew', 'bnew']);
  layers.fail();
  assert.is(layers.find('a')?.value, 'old');
  assert.is(layers.find('b'), undefined);

  layers.attempt();
  layers.put('b', entry(3n, 'kept'));
  layers.succeed();
  assert.is(layers.find('b')?.value, 'kept');
  layers.applied(3n);
  assert.is(layers.size, 0);
});

test('after any number of entries that came and went, those that wait are there, and no others', () => {
  const layers = new PendingLayers<bigint, Entry>();
  for (let zxid = 1n; zxid <= 20_000n; zxid++) {
    layers.put(zxid, entry(zxid, `${zxid}`));
    if (zxid > 5n) layers.applied(zxid - 5n);
    assert.is(layers.find(zxid - 5n), undefined);
    for (let waiting = zxid; waiting > 0n && waiting > zxid - 5n; waiting--)
      assert.is(layers.find(waiting)?.zxid, waiting);
  }
  assert.equal([...layers.entries()].length, 5);
});

test('an entry that changes all the time keeps none of the others from being forgotten', () => {
  const layers = new PendingLayers<string, Entry>();
  const parent = entry(0n, 'parent');
  for (let zxid = 1n; zxid <= 10_000n; zxid++) {
    parent.zxid = zxid;
    if (zxid === 1n) layers.put('parent', parent);
    else layers.changed('parent', parent);
    layers.put(`child ${zxid}`, entry(zxid, ''));
    if (zxid > 10n) layers.applied(zxid - 10n);
    assert.ok(layers.size <= 11);
  }
});

test('whoever keeps an index hears of every change of the lower layer, and of no other', () => {
  const heard: string[] = [];
  const layers = new PendingLayers<string, Entry>((key, before, after) =>
    heard.push(`${key} ${before?.value ?? '-'} ${after?.value ?? '-'}`),
  );
  layers.put('a', entry(1n, 'one'));
  layers.attempt();
  layers.put('a', entry(2n, 'never'));
  layers.fail();
  layers.attempt();
  layers.put('a', entry(3n, 'two'));
  layers.succeed();
  layers.applied(3n);
  assert.equal(heard, ['a - one', 'a one two', 'a two -']);
});

test.run();
