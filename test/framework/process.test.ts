import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { projectRoot } from '../house/imports.js';

const program = join(projectRoot, 'dist/test/framework/programs/serving.js');

/** A process, what it has printed, and how it ended. */
class Program {
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  output = '';
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  #onOutput = (): void => undefined;

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.output += chunk;
      this.#onOutput();
    });
    this.ended = new Promise((resolve) =>
      this.#child.on('close', (code, signal) => resolve({ code, signal })),
    );
  }

  printed(line: string): Promise<void> {
    return new Promise((resolve) => {
      this.#onOutput = () => void (this.output.includes(`${line}\n`) && resolve());
      this.#onOutput();
    });
  }

  kill(signal: 'SIGTERM' | 'SIGINT'): void {
    this.#child.kill(signal);
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`a running application keeps its process alive, and ${signal} stops it in order with exit code 0`, async () => {
    const running = new Program('quick');
    await running.printed('running');
    await running.printed('working');
    running.kill(signal);
    assert.equal(await running.ended, { code: 0, signal: null });
    assert.match(running.output, /draining\nstopped\nend of main\n$/);
  });
}

test('a second signal does not wait for work in hand', async () => {
  const running = new Program();
  await running.printed('working');
  running.kill('SIGTERM');
  await running.printed('draining');
  // One that comes at once is taken for the first, so it is sent until it has an effect.
  const again = setInterval(() => running.kill('SIGTERM'), 200);
  await running.printed('aborted');
  clearInterval(again);
  assert.equal(await running.ended, { code: 0, signal: null });
  assert.match(running.output, /draining\naborted\nstopped\nend of main\n$/);
});

test.run();
