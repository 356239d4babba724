import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Suite } from '../../suite.js';
import { SCENARIOS } from './scenarios.js';
import { ZKCLI } from './shell-process.js';

/** ZooKeeper's own shell, every command it has. */
export const suite: Suite = {
  name: 'zkCli',
  scenarios: Object.keys(SCENARIOS),
  installed: () =>
    access(ZKCLI).then(
      () => true,
      () => false,
    ),
  prepare: async () => undefined,
  command: () => [process.execPath, fileURLToPath(new URL('program.js', import.meta.url))],
};
