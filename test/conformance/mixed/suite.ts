import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compile, suite as curator } from '../clients/curator/suite.js';
import type { Suite } from '../suite.js';
import { PROGRAMS, PYTHON } from './fleet.js';

/** One fleet of Curator, kazoo and Quorate: what one of them holds, leads or offers, the others respect and find. */
export const suite: Suite = {
  name: 'mixed fleet',
  scenarios: [
    'lock',
    'lock-under-own-names',
    'lock-in-order',
    'lock-of-the-killed',
    'read-write-lock',
    'semaphore',
    'election',
    'election-after-kills',
    'services',
    'services-of-the-killed',
  ],
  async installed() {
    if (!(await curator.installed())) return false;
    return promisify(execFile)(PYTHON, ['-c', 'import kazoo']).then(
      () => true,
      () => false,
    );
  },
  prepare: (directory) => compile(PROGRAMS, directory),
  command: (directory) => [
    process.execPath,
    '--enable-source-maps',
    fileURLToPath(new URL('program.js', import.meta.url)),
    directory,
  ],
};
