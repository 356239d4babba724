/**
 * Locks and releases the data directory given as argument, as told by lines on its input, and prints what
 * came of it: `ready`, `held` or the code of the refusal, `released`, and the process number of a child.
 * Hard links are refused, as on some file systems.
 */
import { spawn } from 'node:child_process';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createInterface } from 'node:readline';

fsPromises.link = () => Promise.reject(Object.assign(new Error('no hard links'), { code: 'EPERM' }));
syncBuiltinESMExports();
const { NodeDisk } = await import('../../../core/storage/index.js');

const disk = await NodeDisk.open(process.argv[2]!);
let release: () => Promise<void> = () => Promise.resolve();
const commands: Readonly<Record<string, () => Promise<string>>> = {
  async lock() {
    try {
      const directory = await disk.lock();
      release = () => directory.release();
      return 'held';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  },
  async release() {
    await release();
    return 'released';
  },
  child() {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], { stdio: 'ignore' });
    return Promise.resolve(`${child.pid}`);
  },
};
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) console.log(await commands[line]!());
