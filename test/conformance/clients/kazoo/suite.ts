import { execFile } from 'node:child_process';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sourceFolder, type Suite } from '../../suite.js';

/** Debian's, for which Debian's kazoo is installed. */
const PYTHON = '/usr/bin/python3';

/** kazoo, the Python client: its API and all of its recipes. */
export const suite: Suite = {
  name: 'kazoo',
  scenarios: [
    'znodes',
    'paths',
    'create-modes',
    'container-and-ttl',
    'acls',
    'chroot',
    'transactions',
    'retries',
    'large',
    'pipelined',
    'server',
    'configuration',
    'lock',
    'lock-across-languages',
    'read-write-lock',
    'semaphore',
    'election',
    'party',
    'queue',
    'locking-queue',
    'barrier',
    'double-barrier',
    'counter',
    'partitioner',
    'lease',
    'one-time-watches',
    'watch-before-answer',
    'data-watch',
    'children-watch',
    'patient-children-watch',
    'tree-cache',
    'many-watches',
    'session-end',
    'resumption',
    'moved-session',
    'expiry',
    'connection-loss',
    'server-restart',
    'failover',
  ],
  onThreeOnly: ['configuration', 'failover'],
  async installed() {
    return promisify(execFile)(PYTHON, ['-c', 'import kazoo']).then(
      () => true,
      () => false,
    );
  },
  async prepare(directory) {
    const sources = sourceFolder(import.meta.url);
    for (const name of await readdir(sources)) {
      if (name.endsWith('.py')) await copyFile(join(sources, name), join(directory, name));
    }
  },
  differences: [
    {
      scenario: 'paths',
      theirs: ['create an empty path: MarshallingError'],
      ours: ['create an empty path: BadArgumentsError'],
      heading: 'A request without a path',
    },
    {
      scenario: 'acls',
      theirs: [
        'exists by a stranger: stat(version 0, cversion 0, aversion 0, owner none, length 1, children 0, zxids 0/0/0, ctime=mtime)',
      ],
      ours: ['exists by a stranger: NoAuthError'],
      heading: '`exists` needs READ',
    },
  ],
  command: (directory) => [PYTHON, join(directory, 'main.py')],
};
