import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Certificates } from '../certificates/certificates.js';
import { projectRoot, readSource } from '../house/imports.js';
import { freePort } from '../process/ensemble-process.js';

const QUORATE = join(projectRoot, 'dist/plugins/cli/quorate.js');
const PAGE = readSource('core/server/README.md');
const certificates = new Certificates();
test.after(() => certificates[Symbol.dispose]());

/** The first block of commands behind a title: what starts a member, and what uses it. */
function commandsOf(title: string): { readonly serve: string; readonly use: string } {
  const behind = PAGE.slice(PAGE.indexOf(`## ${title}\n`));
  const block = /^```sh\n([\s\S]*?)^```/m.exec(behind)![1]!;
  const commands = block.replaceAll('\\\n', ' ').trim().split('\n');
  assert.is(commands.length, 2, block);
  const [serve, use] = commands.map((text) => text.replace('npx quorate', `${process.execPath} ${QUORATE}`));
  return { serve: serve!, use: use! };
}

/** Runs members, and a command until it succeeds, in a directory with certificates and users; returns what the command printed. */
async function run(members: readonly string[], use: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-commands-'));
  const { ca, server } = certificates;
  for (const [from, to] of [
    [ca.certFile, 'ca.pem'],
    [server.certFile, 'member.pem'],
    [server.keyFile, 'member.key'],
  ] as const)
    copyFileSync(from, join(directory, to));
  writeFileSync(join(directory, 'users'), 'shop:a-long-password\n', { mode: 0o600 });
  const started = members.map((command, at) => `${command} >member-${at}.log 2>&1 &\npids="$pids $!"`);
  const script = `${started.join('\n')}
trap 'kill $pids; wait' EXIT
for attempt in $(seq 12); do ${use} 2>error.log && exit 0; done
cat *.log >&2
exit 1`;
  const child = spawn('bash', ['-c', script], { cwd: directory });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  rmSync(directory, { recursive: true, force: true });
  assert.is(code, 0, errors);
  return output;
}

test('the commands for an ensemble with TLS, whose members know each other by certificates, run as they stand', async () => {
  const { serve, use } = commandsOf('Encrypting and authenticating');
  const ports: number[] = [];
  while (ports.length < 3) ports.push(await freePort(ports));
  const placed = (text: string): string =>
    text.replaceAll(
      /\b([abc])\.example:7300/g,
      (_, host: string) => `127.0.0.1:${ports['abc'.indexOf(host)]}`,
    );
  const members = [1, 2, 3].map((id) =>
    placed(serve).replace('--id 1', `--id ${id}`).replace('--data ./data', `--data ./data-${id}`),
  );
  assert.match(await run(members, placed(use)), /\[zookeeper\]/);
});

test('the commands for a member that requires an identity run as they stand', async () => {
  const { serve, use } = commandsOf('Requiring an identity');
  const port = await freePort();
  const output = await run([`QUORATE_PORT=${port} ${serve}`], use.replace('7300', `${port}`));
  assert.match(output, /\[zookeeper\]/);
});

test.run();
