import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The ZooKeeper whose clients and tools this listener serves: they read digits and dots at the beginning. */
const ZOOKEEPER_VERSION = '3.9.5';

/** As ZooKeeper tells its version, with the time at which this file was compiled. */
export function fullVersion(): string {
  const built = statSync(fileURLToPath(import.meta.url)).mtime.toISOString();
  return `${ZOOKEEPER_VERSION}-quorate, built on ${built.slice(0, 10)} ${built.slice(11, 16)} UTC`;
}
