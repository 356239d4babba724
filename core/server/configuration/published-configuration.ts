import type { EnsembleMember } from './ensemble.js';

const ADDRESS = /^(wss?):\/\/(\[[^\]]+\]|[^\s:/;]+)(?::(\d+))?(?:\/|$)/;
const USUAL_PORTS: Readonly<Record<string, string>> = { ws: '80', wss: '443' };
const MAX_PORT = 65_535;

/**
 * The ensemble in the words in which ZooKeeper publishes its own: one line for each member, `server.1=host:7300:7301:participant`,
 * and the version, which counts changes while running, of which there are none. The first port is the one at which a member is
 * reached. The second is ZooKeeper's for elections, to which no client goes: there is none here, but ZooKeeper's own clients, and
 * Curator with them, refuse a line in which both are the same. Where it takes ZooKeeper's clients is left out, as ZooKeeper does unless it is told to: clients such as
 * Curator would go there and nowhere else, and a member cannot know how it looks from where they are. Null if an address
 * is none of host and port.
 */
export function publishedConfiguration(members: readonly EnsembleMember[]): Uint8Array | null {
  const lines = publishedMembers(members);
  return lines === null ? null : new TextEncoder().encode([...lines, 'version=0'].join('\n'));
}

/** Only the lines of the members. */
export function publishedMembers(members: readonly EnsembleMember[]): readonly string[] | null {
  const lines: string[] = [];
  for (const { id, address, isObserver } of members.toSorted((one, other) => one.id - other.id)) {
    const [, scheme, host, port] = ADDRESS.exec(address) ?? [];
    if (scheme === undefined || host === undefined) return null;
    const reached = Number(port ?? USUAL_PORTS[scheme]);
    const other = reached < MAX_PORT ? reached + 1 : reached - 1;
    lines.push(
      `server.${id}=${host}:${reached}:${other}:${isObserver === true ? 'observer' : 'participant'}`,
    );
  }
  return lines;
}
