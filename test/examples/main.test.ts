import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';

const run = promisify(execFile);

test('the main job ends by itself with everything in its summary as it should be', async () => {
  // A non-zero exit rejects: the job judges itself by what it measured.
  const { stdout } = await run(process.execPath, [join(projectRoot, 'dist', 'examples', 'main', 'main.js')], {
    timeout: 180_000,
  });
  const findings = stdout.split('\n').filter((line) => /^ {2}(?:yes|NO ) {2}/.test(line));
  assert.is(findings.length, 11);
  assert.equal(
    findings.filter((line) => line.startsWith('  NO')),
    [],
  );
});

test.run();
