import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { KnownDifference, Suite } from '../../suite.js';
import { SCENARIOS } from './scenarios.js';
import { ZKCLI } from './shell-process.js';

/** What `stat` shows there of a znode that may not be read, and what it shows here. */
function unreadableStat(scenario: string, path: string, zxid: string): KnownDifference {
  const created = [`cZxid = ${zxid}`, 'ctime = TIME', `mZxid = ${zxid}`, 'mtime = TIME', `pZxid = ${zxid}`];
  const versions = ['cversion = 0', 'dataVersion = 0', 'aclVersion = 0'];
  const rest = ['ephemeralOwner = 0x0', 'dataLength = 1', 'numChildren = 0'];
  return {
    scenario,
    theirs: [`> stat ${path}`, ...created, ...versions, ...rest],
    ours: [`> stat ${path}`, `Insufficient permission : ${path}`],
    heading: '`exists` needs READ',
  };
}

/** ZooKeeper's own shell, every command it has. */
export const suite: Suite = {
  name: 'zkCli',
  scenarios: Object.keys(SCENARIOS),
  installed: () =>
    access(ZKCLI).then(
      () => true,
      () => false,
    ),
  differences: [
    unreadableStat('create-acl', '/create-acl/other-net', 'zxid 2'),
    unreadableStat('addauth', '/addauth/mine', 'zxid 1'),
  ],
  prepare: async () => undefined,
  command: () => [process.execPath, fileURLToPath(new URL('program.js', import.meta.url))],
};
