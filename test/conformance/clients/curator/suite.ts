import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JVM_FLAGS, LOG_JAR } from '../../servers/index.js';
import { sourceFolder, type Suite } from '../../suite.js';

/** Debian's; their manifests name the jars that they need. */
const JARS = ['/usr/share/java/curator-recipes.jar', '/usr/share/java/curator-x-discovery.jar'];
export const CLASS_PATH = [...JARS, LOG_JAR].join(':');
const PROGRAMS = join(sourceFolder(import.meta.url), 'programs');

/** Curator: its framework, all of its recipes, and its service discovery. */
export const suite: Suite = {
  name: 'curator',
  scenarios: [
    'leader-latch',
    'leader-latch-lost',
    'leader-latch-cut',
    'leader-selector',
    'leader-selector-interrupted',
    'mutex',
    'mutex-order',
    'mutex-revoked',
    'mutex-lost',
    'semaphore-mutex',
    'read-write-lock',
    'multi-lock',
    'semaphore',
    'semaphore-order',
    'semaphore-shared-count',
    'semaphore-lost',
    'barrier',
    'double-barrier',
    'curator-cache',
    'curator-cache-single',
    'curator-cache-cut',
    'node-cache',
    'path-children-cache',
    'tree-cache',
    'shared-count',
    'shared-value',
    'atomic-long',
    'atomic-contended',
    'atomic-integer',
    'atomic-value',
    'persistent-node',
    'persistent-node-sequential',
    'persistent-node-lost',
    'persistent-ttl-node',
    'group-member',
    'discovery',
    'discovery-types',
    'discovery-providers',
    'discovery-cache',
    'discovery-lost',
    'queue',
    'queue-safe',
    'queue-priority',
    'queue-delay',
    'queue-id',
    'queue-simple',
    'transaction',
    'transaction-refused',
    'transaction-background',
    'transaction-old',
    'watch-once',
    'watch-persistent',
    'watch-recursive',
    'watch-removed',
    'watch-cut',
    'persistent-watcher',
    'watcher-remover',
    'create-modes',
    'create-options',
    'create-protected',
    'containers-and-ttl',
    'read-write-delete',
    'errors',
    'background',
    'namespace',
    'chroot',
    'acl',
    'acl-provider',
    'schema',
    'ensemble-config',
    'connection-cut',
    'session-ended',
    'session-expired',
    'server-killed',
    'leader-killed',
    'quorum-killed',
  ],
  onThreeOnly: ['ensemble-config', 'leader-killed', 'quorum-killed'],
  differences: [
    {
      scenario: 'acl',
      theirs: ['stranger sees that it exists: version 0, cversion 0, aversion 0, 1 bytes, 0 children'],
      ours: ['stranger sees that it exists: error NOAUTH /acl/secret'],
      heading: '`exists` needs READ',
    },
  ],
  async installed() {
    if (!JARS.every((jar) => existsSync(jar))) return false;
    return promisify(execFile)('javac', ['-version']).then(
      () => true,
      () => false,
    );
  },
  prepare: (directory) => compile(PROGRAMS, directory),
  command: (directory) => [
    'java',
    ...JVM_FLAGS,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dfile.encoding=UTF-8',
    '-cp',
    `${directory}:${CLASS_PATH}`,
    'Conformance',
  ],
};

/** Compiles the Java programs of a folder. */
export async function compile(programs: string, directory: string): Promise<void> {
  const names = (await readdir(programs)).filter((name) => name.endsWith('.java'));
  const sources = names.map((name) => join(programs, name));
  const flags = ['-nowarn', '-encoding', 'UTF-8', '-d', directory, '-cp', CLASS_PATH];
  await promisify(execFile)('javac', [...flags, ...sources]);
}
