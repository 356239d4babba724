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

const MEMBERS = [1, 2, 3].map((id) => `server.${id}=127.0.0.1:PORT:PORT:participant`);

/** What an ensemble publishes there of itself. */
function published(theirs: readonly string[], ours: readonly string[] = []): KnownDifference {
  return { scenario: 'config', theirs, ours, on: 'three', heading: '`/zookeeper/config` is empty' };
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
    published([...MEMBERS, 'version=0']),
    published(['0 ,,']),
    published(['dataVersion = -1'], ['dataVersion = 0']),
    published(['dataLength = 138'], ['dataLength = 0']),
  ],
  prepare: async () => undefined,
  command: () => [process.execPath, fileURLToPath(new URL('program.js', import.meta.url))],
};
