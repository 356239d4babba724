import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../core/client/index.js';
import { freePort } from '../../process/ensemble-process.js';

const QUORATE = fileURLToPath(new URL('../../../plugins/cli/quorate.js', import.meta.url));
/** How long three processes may take to begin on a crowded machine. */
const PATIENCE_MS = 60_000;

let data = '';
test.before.each(async () => {
  data = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(data, { recursive: true, force: true }));

/** `quorate serve` with these flags, and all that it says. */
class Serving {
  output = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(flags: readonly string[]) {
    this.#child = spawn(process.execPath, [QUORATE, 'serve', ...flags], { timeout: PATIENCE_MS });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => this.#child.on('close', resolve));
  }

  async ready(): Promise<void> {
    const over = this.ended.then(() => Promise.reject(new Error(this.output)));
    while (!/is ready at/.test(this.output))
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 20))]);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

test('three members of one machine start with their numbers, the ensemble and data alone, and warn that anybody here can join', async () => {
  const ports: number[] = [];
  while (ports.length < 3) ports.push(await freePort(ports));
  const ensemble = ports.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(',');
  const members = ports.map(
    (_, index) =>
      new Serving(['--id', `${index + 1}`, '--ensemble', ensemble, '--data', join(data, `${index}`)]),
  );
  try {
    await Promise.all(members.map((member) => member.ready()));

    const client = createClient(ports.map((port) => `ws://127.0.0.1:${port}`).join(','));
    await client.create('/a', 'x');
    await client.close();

    for (const { output } of members) assert.match(output, /no secret: everybody on this machine can join/);
  } finally {
    await Promise.all(members.map((member) => member.end()));
  }
});

test('members of several machines do not start without a secret, and are told what to do', async () => {
  const ensemble = ['--ensemble', '1=127.0.0.1:7300,2=10.0.0.2:7300'];
  const member = new Serving(['--id', '1', ...ensemble, '--data', join(data, '1')]);

  assert.is(await member.ended, 1);

  assert.match(member.output, /^quorate serve: INVALID_CONFIGURATION: Option secret: .*openssl rand -hex 32/);
});

test.run();
