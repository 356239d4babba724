import { readFileSync } from 'node:fs';
import { SocketBudget } from '../../transport/listener.js';

/** Files and peers have to be opened even when clients take all they can get. */
const RESERVED_DESCRIPTORS = 128;
/** Sockets for other members and for probes, even if clients have all theirs; fewer where descriptors are few. */
const RESERVED_SOCKETS = 64;
/** Sockets, over all listeners, that have not made a request yet; fewer where descriptors are few. */
const UNPROVEN_SOCKETS = 256;
/** The part of all sockets that each of the two may take. */
const SMALLEST_PART = 1 / 8;

/** How the sockets of this process are shared. */
export interface SocketShares {
  /** Connections of clients at once. */
  readonly clients: number;
  /** For all listeners together. */
  readonly budget: SocketBudget;
}

/** All listeners together leave enough descriptors for files and for the links to other members. */
export function socketsOf(maxConnections: number, perAddress?: number): SocketShares {
  const most = descriptorLimit() - RESERVED_DESCRIPTORS;
  const part = Math.max(1, Math.floor(most * SMALLEST_PART));
  const unproven = Math.min(UNPROVEN_SOCKETS, part);
  const reserved = Math.min(RESERVED_SOCKETS, part);
  const clients = Math.min(maxConnections, most - unproven - reserved);
  const total = clients + unproven + reserved;
  return { clients, budget: new SocketBudget({ total, unproven, perAddress }) };
}

/** How many files and sockets this process may have open; without a limit where the system does not tell. */
function descriptorLimit(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match === null ? Infinity : Math.max(2 * RESERVED_DESCRIPTORS, Number(match[1]));
  } catch {
    return Infinity;
  }
}
