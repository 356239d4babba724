import { readdir, stat } from 'node:fs/promises';
import { freemem, hostname, release, tmpdir, totalmem, userInfo } from 'node:os';
import { join } from 'node:path';
import { publishedMembers } from '../../../../core/server/index.js';
import { fullVersion } from './version.js';
import { lines, type WordContext } from './word-context.js';

/** `envi`: kazoo reads `zookeeper.version` here. ZooKeeper's names, with what they are in Node. */
export function envi(): string {
  const megabytes = (bytes: number): string => `${Math.floor(bytes / 1_048_576)}MB`;
  const { username, homedir } = user();
  return lines(
    'Environment:',
    `zookeeper.version=${fullVersion()}`,
    `host.name=${hostname()}`,
    `java.version=${process.version}`,
    'java.vendor=Node.js',
    `java.home=${process.execPath}`,
    `java.class.path=${process.argv[1] ?? ''}`,
    'java.library.path=',
    `java.io.tmpdir=${tmpdir()}`,
    'java.compiler=<NA>',
    `os.name=${process.platform}`,
    `os.arch=${process.arch}`,
    `os.version=${release()}`,
    `user.name=${username}`,
    `user.home=${homedir}`,
    `user.dir=${process.cwd()}`,
    `os.memory.free=${megabytes(freemem())}`,
    `os.memory.max=${megabytes(totalmem())}`,
    `os.memory.total=${megabytes(totalmem())}`,
  );
}

export async function conf({ host, health, clientPort, securePort }: WordContext): Promise<string> {
  const { options, data, ensemble } = host;
  const { snapshots, log } = await sizes(data);
  const own = ensemble.find(({ id }) => id === health.id);
  const alone = lines(
    `clientPort=${clientPort}`,
    `secureClientPort=${securePort}`,
    `dataDir=${data}`,
    `dataDirSize=${snapshots}`,
    `dataLogDir=${data}`,
    `dataLogSize=${log}`,
    `tickTime=${options.tickMs}`,
    `maxClientCnxns=${Number.isFinite(host.maxConnectionsPerAddress) ? host.maxConnectionsPerAddress : 0}`,
    `minSessionTimeout=${options.minSessionMs}`,
    `maxSessionTimeout=${options.maxSessionMs}`,
    'clientPortListenBacklog=-1',
    `serverId=${health.id}`,
  );
  if (own === undefined) return alone;
  const port = portOf(own.address);
  return (
    alone +
    lines(
      `initLimit=${options.initLimit}`,
      `syncLimit=${options.syncLimit}`,
      'electionAlg=3',
      `electionPort=${port}`,
      `quorumPort=${port}`,
      `peerType=${own.isObserver === true ? 1 : 0}`,
      'membership: ',
      ...(publishedMembers(ensemble) ?? []),
    )
  );
}

export async function dirs({ host }: WordContext): Promise<string> {
  const { snapshots, log } = await sizes(host.data);
  return lines(`datadir_size: ${snapshots}`, `logdir_size: ${log}`);
}

/** Bytes of the files in a data directory: those of the log, and all others. */
async function sizes(directory: string): Promise<{ readonly snapshots: number; readonly log: number }> {
  let [snapshots, log] = [0, 0];
  for (const name of await readdir(directory).catch(() => [])) {
    // A file may go while this looks at it.
    const size = await stat(join(directory, name)).then(
      (file) => (file.isFile() ? file.size : 0),
      () => 0,
    );
    if (name.startsWith('log-')) log += size;
    else snapshots += size;
  }
  return { snapshots, log };
}

function portOf(address: string): string {
  const { port, protocol } = new URL(address);
  return port === '' ? (protocol === 'wss:' ? '443' : '80') : port;
}

/** In a container the user may have no name. */
function user(): { readonly username: string; readonly homedir: string } {
  try {
    return userInfo();
  } catch {
    return { username: '?', homedir: '?' };
  }
}
