import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger, type Logger } from '../../../../core/runtime/index.js';
import { ConfigurationError } from '../../../../core/server/index.js';
import { checkLooseFiles } from '../../../../core/server/process/loose-files.js';

const test = suite<{ data: string; secretFile: string; tlsKey: string }>('files open to others');

test.before.each((context) => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-loose-'));
  context.data = join(folder, 'data');
  mkdirSync(context.data, { mode: 0o700 });
  for (const name of ['secretFile', 'tlsKey'] as const) {
    context[name] = join(folder, name);
    writeFileSync(context[name], 'x');
    chmodSync(context[name], 0o640);
  }
});
test.after.each(({ data }) => rmSync(join(data, '..'), { recursive: true }));

/** Which options were warned of. */
async function warnedOf(options: Parameters<typeof checkLooseFiles>[0]): Promise<unknown[]> {
  const found: unknown[] = [];
  const warn: Logger['warn'] = (_message, fields = {}) => void found.push(fields['option']);
  await checkLooseFiles(options, { ...silentLogger, warn });
  return found;
}

test('private files, a group that reads, and files that are not there pass', async ({
  data,
  secretFile,
  tlsKey,
}) => {
  assert.equal(await warnedOf({ data, secretFile, tlsKey, refuseLooseFiles: true }), []);
  assert.equal(await warnedOf({ data: `${data}-none`, refuseLooseFiles: true }), []);
  assert.equal(await warnedOf({ data: '/dev/null', refuseLooseFiles: true }), []);
});

test('each file or directory open to others is warned of, or refused with the flag', async (files) => {
  chmodSync(files.data, 0o755);
  chmodSync(files.secretFile, 0o644);
  chmodSync(files.tlsKey, 0o660);
  assert.equal(await warnedOf(files), ['data', 'secretFile', 'tlsKey']);
  const error = await checkLooseFiles({ ...files, refuseLooseFiles: true }, silentLogger).then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.instance(error, ConfigurationError);
  assert.is((error as ConfigurationError).option, 'data');
  assert.match((error as ConfigurationError).message, /mode 0755.*chmod 700/);
});

test.run();
