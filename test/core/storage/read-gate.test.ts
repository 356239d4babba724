import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReadGate } from '../../../core/storage/read-gate.js';

/** An act that ends when it is told, and notes when it begins and ends. */
function held(
  name: string,
  notes: string[],
): { readonly run: () => Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const run = async (): Promise<void> => {
    notes.push(`${name} begins`);
    await ended;
    notes.push(`${name} ends`);
  };
  return { run, end };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('an act that runs alone waits for the last of the reads, and reads that come later wait for it', async () => {
  const gate = new ReadGate();
  const notes: string[] = [];
  const [one, two, later, alone] = ['one', 'two', 'later', 'alone'].map((name) => held(name, notes));
  const work = [gate.read(one!.run), gate.read(two!.run), gate.alone(alone!.run), gate.read(later!.run)];
  await settle();
  one!.end();
  await settle();
  assert.equal(notes, ['one begins', 'two begins', 'one ends']);
  two!.end();
  await settle();
  assert.equal(notes.slice(3), ['two ends', 'alone begins']);
  alone!.end();
  later!.end();
  await Promise.all(work);
  assert.equal(notes.slice(5), ['alone ends', 'later begins', 'later ends']);
});

test('an act or a read that fails lets those behind it go on', async () => {
  const gate = new ReadGate();
  const failing = async (): Promise<void> => Promise.reject(new Error('failed'));
  const failures = [gate.read(failing), gate.alone(failing), gate.read(failing)].map((work) =>
    work.catch((error: Error) => error.message),
  );
  assert.equal(await Promise.all(failures), ['failed', 'failed', 'failed']);
  assert.is(await gate.read(async () => 'read'), 'read');
  assert.is(await gate.alone(async () => 'alone'), 'alone');
});

test.run();
