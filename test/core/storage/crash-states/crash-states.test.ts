import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DiskModel } from './crash-states.js';
import { recoverFromCrashStates } from './enumeration.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What a crash may leave of `file`, each once; null if it is not there. */
function contentsOf(model: DiskModel): Set<string | null> {
  return new Set(
    [...model.states()].map((state) => {
      const content = state.get('file');
      return content === undefined ? null : new TextDecoder('latin1').decode(content);
    }),
  );
}

test('an unsynced file may be missing, empty, whole, torn or full of foreign bytes after a crash', () => {
  const model = new DiskModel();
  model.apply({ type: 'names', changes: [{ name: 'file', inode: 0 }] });
  model.apply({ type: 'write', inode: 0, at: 0, bytes: text('abcd') });

  const contents = contentsOf(model);
  for (const content of [null, '', 'abcd', 'ab', '\0\0\0\0']) assert.ok(contents.has(content), `${content}`);
  assert.is(contents.size, 6);
});

test('a synced file under a synced name is left by a crash as it is', () => {
  const model = new DiskModel();
  model.apply({ type: 'names', changes: [{ name: 'file', inode: 0 }] });
  model.apply({ type: 'write', inode: 0, at: 0, bytes: text('abcd') });
  model.apply({ type: 'sync', inode: 0 });
  model.apply({ type: 'syncNames' });

  assert.equal([...contentsOf(model)], ['abcd']);
});

test('a write through the cache survives a crash without the unsynced write before it', () => {
  const model = new DiskModel(new Map([['file', text('....')]]));
  model.apply({ type: 'write', inode: 0, at: 0, bytes: text('a') });
  model.apply({ type: 'write', inode: 0, at: 3, bytes: text('d') });
  model.apply({ type: 'syncWrite', inode: 0, event: 1 });

  const contents = contentsOf(model);
  assert.ok(contents.has('...d'));
  assert.ok(contents.has('a..d'));
  assert.not(contents.has('a...'));
  assert.not(contents.has('....'));
});

test('a rename that is not synced may be undone by a crash, and never leaves both names', () => {
  const model = new DiskModel(
    new Map([
      ['new', text('new')],
      ['file', text('old')],
    ]),
  );
  model.apply({
    type: 'names',
    changes: [
      { name: 'new', inode: null },
      { name: 'file', inode: 0 },
    ],
  });

  const states = [...model.states()].map((state) => [...state.keys()].sort().join());
  assert.equal(new Set(states), new Set(['file,new', 'file']));
});

test('every state that a crash may leave, also of a crash during the recovery, is recovered to what was acknowledged', async () => {
  const { moments, states, statesOfRecoveries } = await recoverFromCrashStates();
  console.log(`\n# ${moments} moments, ${states} crash states, ${statesOfRecoveries} of a second crash`);

  assert.ok(moments > 250, `${moments} moments`);
  assert.ok(states > 500, `${states} states`);
  assert.ok(statesOfRecoveries > 1_000, `${statesOfRecoveries} states of a second crash`);
});

test.run();
