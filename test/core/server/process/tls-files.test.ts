import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger } from '../../../../core/runtime/index.js';
import { TlsFiles } from '../../../../core/server/process/tls-files.js';
import { VirtualClock } from '../../../../core/testing/index.js';
import { Certificates } from '../../../certificates/certificates.js';

const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

let directory = '';
test.before.each(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(directory, { recursive: true, force: true }));

interface Opened {
  readonly paths: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly tls: TlsFiles;
  /** How often those who present the certificates were informed of new ones. */
  readonly changes: () => number;
}

/** The files of a member, which a test may replace one by one. */
async function opened(): Promise<Opened> {
  const [cert, key, ca] = ['cert', 'key', 'ca'].map((name) => join(directory, name));
  const paths = { cert: cert!, key: key!, ca: ca! };
  await copyFile(certificates.server.certFile, paths.cert);
  await copyFile(certificates.server.keyFile, paths.key);
  await copyFile(certificates.ca.certFile, paths.ca);
  const tls = await TlsFiles.open(paths, {
    clock: new VirtualClock({ wallMs: Date.now() }),
    logger: silentLogger,
  });
  let changes = 0;
  tls.onChange(() => (changes += 1));
  return { paths, tls, changes: () => changes };
}

test('a list of authorities that is replaced alone is taken up', async () => {
  const { paths, tls, changes } = await opened();
  const { cert } = certificates.otherCa;
  await writeFile(paths.ca, cert);
  await tls.reload();
  assert.equal([tls.material.ca, tls.options.ca, changes()], [cert, cert, 1]);
  tls.close();
});

test('a renewed certificate is taken up with its key', async () => {
  const { paths, tls, changes } = await opened();
  const { cert, key } = certificates.renewed('renewed');
  await writeFile(paths.cert, cert);
  await writeFile(paths.key, key);
  await tls.reload();
  assert.equal([tls.material.cert, tls.material.key, changes()], [cert, key, 1]);
  tls.close();
});

test('files that were written again with the same content change nothing', async () => {
  const { paths, tls, changes } = await opened();
  const before = tls.material;
  await copyFile(certificates.ca.certFile, paths.ca);
  await tls.reload();
  assert.is(tls.material, before);
  assert.is(changes(), 0);
  tls.close();
});

test.run();
