import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemRandom, type QuorateError } from '../../../core/runtime/index.js';
import { memberSecret } from '../../../core/server/configuration/member-secret.js';
import {
  createPrivateFile,
  FileStorage,
  looseMode,
  NodeDisk,
  openWithoutLinks,
} from '../../../core/storage/index.js';

const test = suite<{ folder: string; victim: string }>('private files');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'quorate-private-'));
  context.victim = join(context.folder, 'victim');
  writeFileSync(context.victim, 'precious');
  process.umask(0o022);
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

async function refusalOf(attempt: Promise<unknown>): Promise<QuorateError> {
  const outcome = await attempt.then(
    () => null,
    (error: unknown) => error,
  );
  assert.instance(outcome, Error);
  return outcome as QuorateError;
}

test('a new data directory has the mode 0700 and its files 0600, whatever the umask', async ({ folder }) => {
  const data = join(folder, 'a', 'data');
  const disk = await NodeDisk.open(data);
  const storage = await FileStorage.open({ disk });
  await storage.close();
  await memberSecret(data, new SystemRandom());
  const directory = await disk.lock();
  const file = await directory.open('some.new', 'create');
  await file.close();
  assert.is(modeOf(data), '700');
  for (const name of ['epoch', 'session-secret', 'lock', 'some.new'].filter((one) =>
    existsSync(join(data, one)),
  ))
    assert.is(modeOf(join(data, name)), '600', name);
  assert.is(modeOf(join(data, 'some.new')), '600');
  await directory.release();
});

test('a data directory that exists keeps its mode', async ({ folder }) => {
  chmodSync(folder, 0o755);
  await NodeDisk.open(folder);
  assert.is(modeOf(folder), '755');
  assert.is(await looseMode(folder), 'other users of this machine have access to it (mode 0755)');
});

test('a link planted in a data directory is refused by name and never followed', async ({
  folder,
  victim,
}) => {
  const data = join(folder, 'data');
  const directory = await (await NodeDisk.open(data)).lock();
  for (const mode of ['create', 'write', 'read'] as const) {
    const name = `snapshot-${mode}`;
    symlinkSync(victim, join(data, name));
    const error = await refusalOf(directory.open(name, mode));
    assert.is(error.code, 'LINK_REFUSED', mode);
    assert.match(error.message, new RegExp(name));
  }
  symlinkSync(folder, join(data, 'damaged-1'));
  await (await directory.open('log-1', 'create')).close();
  assert.is((await refusalOf(directory.setAside('log-1', 'damaged-1'))).code, 'LINK_REFUSED');
  symlinkSync(victim, join(data, 'session-secret.new'));
  await refusalOf(memberSecret(data, new SystemRandom()));
  await directory.release();
  assert.is(readFileSync(victim, 'utf8'), 'precious');
});

test('a private file takes the place of what an earlier process left, and of no link', async ({
  folder,
  victim,
}) => {
  const path = join(folder, 'new');
  writeFileSync(path, 'left over', { mode: 0o666 });
  await (await createPrivateFile(path)).close();
  assert.is(readFileSync(path, 'utf8'), '');
  assert.is(modeOf(path), '600');
  rmSync(path);
  symlinkSync(victim, path);
  for (const attempt of [createPrivateFile(path), openWithoutLinks(path)]) {
    const error = await refusalOf(attempt);
    assert.is(error.code, 'LINK_REFUSED');
    assert.is(error.fields['path'], path);
  }
  assert.is(readFileSync(victim, 'utf8'), 'precious');
});

test('access of others, and changes by the group, make a file loose; a group that reads does not', async ({
  victim,
}) => {
  const found: (string | null)[] = [];
  for (const mode of [0o600, 0o640, 0o400, 0o644, 0o601, 0o660]) {
    chmodSync(victim, mode);
    found.push(await looseMode(victim));
  }
  assert.equal(found.slice(0, 3), [null, null, null]);
  assert.match(found[3]!, /other users .*0644/);
  assert.match(found[4]!, /other users .*0601/);
  assert.match(found[5]!, /its group can change it \(mode 0660\)/);
  assert.is(await looseMode(`${victim}-none`), null);
});

test.run();
