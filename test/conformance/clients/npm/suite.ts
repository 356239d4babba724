import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFolder, type Suite } from '../../suite.js';

const FOLDER = sourceFolder(import.meta.url);

/**
 * Two clients from npm: zookeeper, which wraps the C client, and node-zookeeper-client, which is JavaScript. They are no
 * dependency of ours: `npm ci --prefix test/conformance/clients/npm` installs them, and builds the first.
 */
export const suite: Suite = {
  name: 'npm',
  scenarios: [
    'native-znodes',
    'native-acls',
    'native-watches',
    'native-sessions',
    'pure-znodes',
    'pure-transactions',
    'pure-acls',
    'pure-watches',
    'pure-sessions',
    'pure-chroot',
  ],
  async installed() {
    const modules = join(FOLDER, 'node_modules');
    const built = join(modules, 'zookeeper', 'build', 'Release', 'zookeeper.node');
    return existsSync(built) && existsSync(join(modules, 'node-zookeeper-client'));
  },
  prepare: () => Promise.resolve(),
  // The program is run where it is, because its packages are found from there.
  command: () => ['sh', '-c', 'exec "$@" 3>&1 1>&2', 'sh', process.execPath, join(FOLDER, 'main.mjs')],
};
