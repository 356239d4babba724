import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeZxid } from '../../../core/zab/index.js';
import { resolveConfig } from '../../../core/zab/peer-config.js';
import { ProposalWindow } from '../../../core/zab/proposal-window.js';

function windowOf(uncommittedEntries: number, uncommittedBytes: number): ProposalWindow {
  const limits = { uncommittedEntries, uncommittedBytes };
  return new ProposalWindow(resolveConfig({ id: 1, voters: [1], tickMs: 100, seed: 1, limits }).limits);
}

test('a window is full by entries or by bytes, until enough of them are applied', () => {
  const byEntries = windowOf(2, 1_000);
  byEntries.add(makeZxid(1, 1), 1);
  assert.not(byEntries.isFull);
  byEntries.add(makeZxid(1, 2), 1);
  assert.ok(byEntries.isFull);
  byEntries.applied(makeZxid(1, 1));
  assert.not(byEntries.isFull);

  const byBytes = windowOf(100, 1_000);
  byBytes.add(makeZxid(1, 1), 600);
  byBytes.add(makeZxid(1, 2), 400);
  assert.ok(byBytes.isFull);
  byBytes.applied(makeZxid(1, 1));
  assert.not(byBytes.isFull);
});

test('a window counts nothing of what was applied, however much that was', () => {
  const window = windowOf(100, 1_000);
  for (let counter = 1; counter <= 5_000; counter++) {
    window.add(makeZxid(1, counter), 999);
    assert.not(window.isFull, `after ${counter} proposals`);
    window.add(makeZxid(2, counter), 1);
    assert.ok(window.isFull);
    window.applied(makeZxid(3, 0));
  }
});

test.run();
