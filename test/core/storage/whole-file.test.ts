import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeWholeFile } from '../../../core/storage/whole-file.js';
import { content, rejection } from './history.js';

const test = suite<{ directory: string }>('a file that is written as a whole');
test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'quorate-whole-'));
});
test.after.each(({ directory }) => rm(directory, { recursive: true, force: true }));

async function* broken(): AsyncGenerator<Uint8Array> {
  yield* content('a part');
  throw new Error('the content breaks off');
}

test('content that breaks off leaves the file that was there, and nothing beside it', async ({
  directory,
}) => {
  const file = join(directory, 'file');
  assert.is((await rejection(writeWholeFile(file, broken()))).message, 'the content breaks off');
  assert.equal(await readdir(directory), []);

  await writeFile(file, 'old');
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.is((await rejection(writeWholeFile(file, broken()))).message, 'the content breaks off');
    assert.equal(await readdir(directory), ['file']);
    assert.is(await readFile(file, 'utf8'), 'old');
  }
});

test('a whole file takes the place of an older one, and of a part that an earlier process has left', async ({
  directory,
}) => {
  const file = join(directory, 'file');
  await writeFile(join(directory, '.file.partial'), 'a longer part of an earlier attempt');
  for (const text of ['first', 'second']) {
    await writeWholeFile(file, content(text, ' whole'));
    assert.is(await readFile(file, 'utf8'), `${text} whole`);
    assert.equal(await readdir(directory), ['file']);
  }
});

test.run();
