import { hex, lines, type WordContext } from './word-context.js';

/** `dump`: sessions, their ephemeral znodes, and their connections here. */
export function dump({ inspection }: WordContext): string {
  const sessions = [...inspection.sessions].map(([id, timeoutMs]) => `${hex(id)}\t${timeoutMs}ms`);
  const owners = [...inspection.sessions.keys()]
    .map((id) => ({ id, paths: inspection.ephemeralsOf(id) }))
    .filter(({ paths }) => paths.length > 0);
  const connections = inspection
    .connections()
    .map(({ remoteAddress, sessionId }) => `\tip: /${remoteAddress} sessionId: ${hex(sessionId)}`);
  return lines(
    'SessionTracker dump:',
    `Global Sessions(${sessions.length}):`,
    ...sessions,
    'ephemeral nodes dump:',
    `Sessions with Ephemerals (${owners.length}):`,
    ...owners.flatMap(({ id, paths }) => [`${hex(id)}:`, ...paths.map((path) => `\t${path}`)]),
    'Connections dump:',
    `Connections Sets (1)/(${connections.length}):`,
    ...connections,
  );
}

/** `wchs`: how many wait for how much. */
export function wchs({ inspection }: WordContext): string {
  const watched = inspection.watchedPaths();
  const paths = new Set([...watched.values()].flat());
  const total = [...watched.values()].reduce((sum, { length }) => sum + length, 0);
  return lines(`${watched.size} connections watching ${paths.size} paths`, `Total watches:${total}`);
}

/** `wchc`: by session. */
export function wchc({ inspection }: WordContext): string {
  const sessions = [...inspection.watchedPaths()].flatMap(([id, paths]) => [
    hex(id),
    ...paths.map((path) => `\t${path}`),
  ]);
  return lines(...sessions, '');
}

/** `wchp`: by path. */
export function wchp({ inspection }: WordContext): string {
  const byPath = new Map<string, string[]>();
  for (const [id, paths] of inspection.watchedPaths()) {
    for (const path of paths) byPath.set(path, [...(byPath.get(path) ?? []), `\t${hex(id)}`]);
  }
  return lines(...[...byPath].flatMap(([path, sessions]) => [path, ...sessions]), '');
}
