import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../house/imports.js';
import { freePort } from './ensemble-process.js';

const QUORATE = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));
const PAGE = readFileSync(join(projectRoot, 'core/server/RUNBOOKS.md'), 'utf8');
/** Longest that the commands of one section may take on a busy machine. */
const SECTION_MS = 240_000;

interface Section {
  readonly title: string;
  readonly blocks: readonly string[];
}

const SECTIONS: readonly Section[] = PAGE.split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf('\n')),
    blocks: [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1]!),
  }));

/** The command that the unit of the page starts. */
const EXEC_START = /^ExecStart=(.*)$/m.exec(PAGE)![1]!;

const test = suite<{ directory: string; ports: readonly number[] }>('runbooks');

/** Hosts, ports and paths of this machine in the place of those of the page. */
function placed(text: string, directory: string, ports: readonly number[]): string {
  return text
    .replaceAll(/\b([abc]):7300/g, (_, host: string) => `127.0.0.1:${ports['abc'.indexOf(host)]}`)
    .replaceAll(/\/(?:var\/lib\/quorate|etc\/quorate|backups)/g, (path) => `${directory}${path}`);
}

/** Stands for systemd: starts, stops and reloads members by the unit of the page. */
function systemctl(start: string, directory: string): string {
  return `#!/bin/bash
id=\${2#quorate@}; pid="${directory}/run/$id"
stop() { [ -f "$pid" ] || return 0; kill "$(cat "$pid")" 2>/dev/null; while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.05; done; rm "$pid"; }
start() { command="${start}"; setsid \${command//%i/$id} >>"${directory}/run/$id.log" 2>&1 </dev/null & echo $! >"$pid"; }
case $1 in start) start;; stop) stop;; restart) stop; start;; reload) kill -HUP "$(cat "$pid")";; *) exit 64;; esac
`;
}

test.before(async (context) => {
  const directory = (context.directory = mkdtempSync(join(tmpdir(), 'quorate-runbooks-')));
  const ports: number[] = [];
  while (ports.length < 3) ports.push(await freePort(ports));
  context.ports = ports;
  for (const path of ['bin', 'run', 'var/lib/quorate', 'etc/quorate', 'backups'])
    mkdirSync(join(directory, path), { recursive: true });
  const start = placed(EXEC_START, directory, ports);
  const tools = {
    quorate: `#!/bin/bash\nexec "${process.execPath}" "${QUORATE}" "$@"\n`,
    systemctl: systemctl(start, directory),
  };
  for (const [name, text] of Object.entries(tools)) {
    writeFileSync(join(directory, 'bin', name), text);
    chmodSync(join(directory, 'bin', name), 0o755);
  }
});

test.after(async ({ directory, ports }) => {
  await run('for i in 1 2 3; do systemctl stop quorate@$i; done', directory, ports).catch(() => undefined);
  rmSync(directory, { recursive: true, force: true });
});

/** Runs commands as the page has them; rejects with what they wrote if one of them fails. */
async function run(commands: string, directory: string, ports: readonly number[]): Promise<string> {
  const [, connect] = /^export QUORATE_CONNECT=(\S+)$/m.exec(PAGE)!;
  const environment = {
    ...process.env,
    PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
    QUORATE_CONNECT: placed(connect!, directory, ports),
  };
  const shell = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', placed(commands, directory, ports)], {
    env: environment,
    timeout: SECTION_MS,
  });
  return shell.then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string; readonly stderr: string }) => {
      const logs = [1, 2, 3].map((id) => {
        const path = join(directory, 'run', `${id}.log`);
        return `member ${id}: ${readFileSync(path, 'utf8').split('\n').slice(-6).join('\n').slice(-2_000)}`;
      });
      throw new Error([commands, error.stdout, error.stderr, ...logs].join('\n'));
    },
  );
}

for (const { title, blocks } of SECTIONS) {
  test(`every command of "${title}" does what the page says`, async ({ directory, ports }) => {
    assert.ok(blocks.length > 0, 'the section has no command');
    for (const block of blocks) {
      const output = await run(block, directory, ports);
      if (block.includes('get /runbook')) assert.match(output, /^here$/m);
    }
  });
}

test.run();
