import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';

const run = promisify(execFile);

/** A non-zero exit fails with all that was told: the job judges itself by what it measured. */
async function toldByTheMainJob(): Promise<string> {
  const program = join(projectRoot, 'dist', 'examples', 'main', 'main.js');
  try {
    return (await run(process.execPath, [program], { timeout: 180_000 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`the main job failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

test('the main job ends by itself with everything in its summary as it should be', async () => {
  const stdout = await toldByTheMainJob();
  const findings = stdout.split('\n').filter((line) => /^ {2}(?:yes|NO ) {2}/.test(line));
  assert.is(findings.length, 11);
  assert.equal(
    findings.filter((line) => line.startsWith('  NO')),
    [],
  );
});

test.run();
