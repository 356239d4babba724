import { printableLine } from '../../../../core/runtime/index.js';
import { formatAcl, formatStat, parseAcl } from '../format.js';
import { type ShellCommand, versionFlag } from '../command.js';
import { isCode, walkSubtree } from '../subtree.js';

const addAuth: ShellCommand = {
  name: 'addauth',
  usage: 'scheme auth',
  flags: '',
  words: [1, 2],
  async run({ client }, given) {
    const [scheme = '', auth = ''] = given.words;
    await client.addAuth(scheme, auth);
  },
};

const getAcl: ShellCommand = {
  name: 'getAcl',
  usage: '[-s] path',
  flags: 's',
  words: [1, 1],
  async run({ client, output }, given) {
    const { acl, stat } = await client.getAcl(given.words[0]!);
    output.print(formatAcl(acl));
    if (given.has('s')) output.print(formatStat(stat));
  },
};

const setAcl: ShellCommand = {
  name: 'setAcl',
  usage: '[-s] [-v version] [-R] path acl',
  flags: 'sv:R',
  words: [2, 2],
  async run({ client, output }, given) {
    const [path = '', text = ''] = given.words;
    const acl = parseAcl(text);
    const version = versionFlag(given);
    if (!given.has('R')) {
      const stat = await client.setAcl(path, acl, { version });
      if (given.has('s')) output.print(formatStat(stat));
      return;
    }
    const paths: string[] = [];
    for await (const each of walkSubtree(client, path)) paths.push(each);
    // Children first: the new ACL of a parent might forbid what is left to do.
    for (const each of paths.reverse()) {
      await client.setAcl(each, acl, { version }).catch((error: unknown) => {
        if (!isCode(error, 'NO_NODE') || each === path) throw error;
      });
    }
  },
};

const whoAmI: ShellCommand = {
  name: 'whoami',
  usage: '',
  flags: '',
  words: [0, 0],
  async run({ client, output }) {
    output.print('Auth scheme: User');
    for (const { scheme, user } of await client.whoAmI()) output.print(printableLine(`${scheme}: ${user}`));
  },
};

export const aclCommands: readonly ShellCommand[] = [addAuth, getAcl, setAcl, whoAmI];
