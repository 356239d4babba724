import { getEventListeners } from 'node:events';
import type { MemberGauges } from '../../../core/server/index.js';

/** A member has the newest file of its log open, and no other while it only waits. */
const OPEN_FILES = 1;

/** What a member of so many holds for others after its last client has left: links to the other members and nothing else. Empty if so. */
export function leftovers(
  name: string,
  { held, connections, requests }: MemberGauges,
  members: number,
): string {
  const expected = { ...held, connections, requests };
  const wrong = Object.entries(expected).filter(
    ([what, count]) => count !== (what === 'peerLinks' ? members - 1 : 0),
  );
  return wrong.length === 0
    ? ''
    : `${name} holds ${wrong.map(([what, count]) => `${count} ${what}`).join(', ')}`;
}

/** Files that a member which only waits has open beyond the one that it needs. Empty if it has none. */
export function openFiles(name: string, { openFiles: count }: { readonly openFiles: number }): string {
  return count <= OPEN_FILES ? '' : `${name} has ${count} files open`;
}

/** Listeners that are left on signals which nothing waits for any more. Empty if there are none. */
export function listeners(name: string, signals: Readonly<Record<string, AbortSignal>>): string {
  const left = Object.entries(signals)
    .map(([what, signal]) => ({ what, count: getEventListeners(signal, 'abort').length }))
    .filter(({ count }) => count > 0);
  return left.length === 0
    ? ''
    : `${name} has ${left.map(({ what, count }) => `${count} listeners on ${what}`).join(', ')}`;
}
