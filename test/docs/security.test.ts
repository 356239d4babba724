import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot, readSource } from '../house/imports.js';
import { freePort } from '../process/ensemble-process.js';

const QUORATE = join(projectRoot, 'dist/plugins/cli/quorate.js');

test('the commands of the hardening checklist run as they stand, and the znode is for its creator alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-security-'));
  const port = await freePort();
  const blocks = [...readSource('SECURITY.md').matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, text]) =>
    text!.replaceAll('npx quorate', `${process.execPath} ${QUORATE}`).replaceAll('7300', `${port}`),
  );
  assert.is(blocks.length, 3);
  const [make, serve, use] = blocks as [string, string, string];
  const script = `set -e\n${make}\n(${serve.trim().replace(/^/, 'exec ')}) & member=$!\ntrap 'kill $member' EXIT\n${use}`;
  const child = spawn('bash', ['-c', script], { cwd: directory });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  rmSync(directory, { recursive: true });

  assert.is(code, 0, output);
  assert.match(output, /Created \/shop\n/);
  assert.match(output, /digest,'shop:[^\n]*\n *: *cdrwa\n/, output);
  assert.not.match(output, /world/);
});

test.run();
