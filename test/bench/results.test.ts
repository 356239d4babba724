import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { updatedPage, type Measured } from './results.js';

const NAMES = ['first', 'second', 'third'];

function section(name: string, body: string): Measured {
  return {
    name,
    title: `The ${name}`,
    about: 'What it is about.',
    commands: [`npm run bench -- --only ${name}`],
    body,
    date: new Date(0),
    machine: '2 × a processor',
  };
}

test('a section that was not measured stays on the page as it was', async () => {
  const before = await updatedPage('', [section('first', 'old 1'), section('second', 'old 2')], NAMES);

  const after = await updatedPage(before, [section('second', 'new 2')], NAMES);

  assert.is(after, before.replace('old 2', 'new 2'));
});

test('sections stand in their order, in whatever order they were measured', async () => {
  const page = await updatedPage(
    await updatedPage('', [section('third', 'c')], NAMES),
    [section('first', 'a')],
    NAMES,
  );

  assert.ok(page.indexOf('## The first') < page.indexOf('## The third'));
});

test('a section tells its date, its machine and how to measure it again', async () => {
  const page = await updatedPage('', [section('first', 'a')], NAMES);

  assert.match(page, 'Measured 1970-01-01 00:00 UTC on 2 × a processor.');
  assert.match(page, '```sh\nnpm run bench -- --only first\n```');
});

test.run();
