import type { Client } from '../../client/index.js';
import type { BlockerOf } from '../contention/contender.js';
import { orderContenders } from '../contention/sequence.js';
import { repeatRead, hasCode } from '../waiting/failure.js';

export type LockKind = 'exclusive' | 'read' | 'write' | 'lease';

/** One that holds a lock, or waits for it. */
export interface LockParticipant {
  readonly path: string;
  readonly kind: LockKind;
  /** What it wrote to its znode, as text; null if nothing. Often its name. */
  readonly owner: string | null;
  readonly sessionId: bigint;
  readonly fence: bigint;
  /** Milliseconds since 1970, by the servers' clock. */
  readonly askedAt: number;
}

export interface LockHolder extends LockParticipant {
  /**
   * Milliseconds since 1970, by the servers' clock. Exact of who got it at once, and of the last one that had to wait; of
   * other holders that waited (readers, leases, other libraries), when they asked: it is held since then or later.
   */
  readonly heldSince: number;
}

/** How things stand with a lock, as of one look. */
export interface LockExplanation {
  readonly path: string;
  readonly holders: readonly LockHolder[];
  /** In the order of asking. */
  readonly waiters: readonly LockParticipant[];
}

export interface ExplainedLine {
  readonly directory: string;
  /** What each marker stands for. */
  readonly kinds: Readonly<Record<string, LockKind>>;
  /** As those that stand in the line apply it; the one before if left out. */
  readonly blockerOf?: BlockerOf | undefined;
}

/**
 * Reads the line of a lock once. It is not one moment: who leaves while it is read is left out.
 */
export async function explainLine(
  client: Client,
  line: ExplainedLine,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<LockExplanation> {
  const { directory, kinds, blockerOf = (_line: readonly string[], own: number) => own - 1 } = line;
  const look = await lookAt(client, directory, options);
  if (look === null) return { path: directory, holders: [], waiters: [] };
  const names = orderContenders(look.children, Object.keys(kinds));
  const found = await Promise.all(
    names.map((name) => participant(client, `${directory}/${name}`, kindOf(name, kinds), options)),
  );
  const holders: LockHolder[] = [];
  const waiters: LockParticipant[] = [];
  for (const [index, one] of found.entries()) {
    if (one === null) continue;
    if (blockerOf(names, index) >= 0) waiters.push(one);
    else holders.push({ ...one, heldSince: names[index] === look.lastTurn ? look.lastTurnAt : one.askedAt });
  }
  return { path: directory, holders, waiters };
}

interface Look {
  readonly children: readonly string[];
  /** The last one that had to wait and then held. */
  readonly lastTurn: string | null;
  readonly lastTurnAt: number;
}

async function lookAt(
  client: Client,
  path: string,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Look | null> {
  try {
    const { children } = await repeatRead(client, options, () => client.getChildren(path, options));
    const { data, stat } = await repeatRead(client, options, () => client.getData(path, options));
    return { children, lastTurn: textOf(data), lastTurnAt: stat.mtime };
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

async function participant(
  client: Client,
  path: string,
  kind: LockKind,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<LockParticipant | null> {
  try {
    const { data, stat } = await repeatRead(client, options, () => client.getData(path, options));
    return {
      path,
      kind,
      owner: textOf(data),
      sessionId: stat.ephemeralOwner,
      fence: stat.czxid,
      askedAt: stat.ctime,
    };
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

function textOf(data: Uint8Array | null): string | null {
  return data === null || data.length === 0 ? null : new TextDecoder().decode(data);
}

function kindOf(name: string, kinds: Readonly<Record<string, LockKind>>): LockKind {
  for (const [marker, kind] of Object.entries(kinds)) if (name.includes(marker)) return kind;
  return 'exclusive';
}
