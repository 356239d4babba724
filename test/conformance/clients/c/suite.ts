import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sourceFolder, type Suite } from '../../suite.js';

const HEADER = '/usr/include/zookeeper/zookeeper.h';

/** The C client that comes with ZooKeeper, with threads. */
export const suite: Suite = {
  name: 'c',
  scenarios: [
    'znodes',
    'create-modes',
    'asynchronous',
    'pipelined',
    'acls',
    'chroot',
    'large',
    'configuration',
    'multi',
    'multi-asynchronous',
    'multi-acl',
    'watches',
    'removing-watches',
    'missed-events',
    'resumption',
    'expiry',
    'expiry-while-disconnected',
    'moved-session',
    'connection-loss',
    'server-restart',
  ],
  async installed() {
    return existsSync(HEADER);
  },
  async prepare(directory) {
    const folder = sourceFolder(import.meta.url);
    const sources = (await readdir(folder)).filter((name) => name.endsWith('.c'));
    const flags = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-DTHREADED'];
    const libraries = ['-lzookeeper_mt', '-lpthread'];
    const files = sources.map((name) => join(folder, name));
    await promisify(execFile)('cc', [...flags, '-o', join(directory, 'scenarios'), ...files, ...libraries]);
  },
  command: (directory) => [join(directory, 'scenarios')],
};
