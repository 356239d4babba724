import { WatchEventType, WatcherType, type WatchEvent } from '../protocol/index.js';
import type { Logger } from '../runtime/index.js';
import type { Watch, WatchNotice } from './client.js';

/**
 * What a one-shot watch waits for: `data` a change or the end of a znode, `exist` the beginning of one that is not
 * there, `child` a change among its children. Servers keep the first two in one table.
 */
export type WatchKind = 'data' | 'exist' | 'child';

/** Tables of the server, as `removeWatches` names them. */
export type ServerTable = typeof WatcherType.data | typeof WatcherType.children;

type Table = Map<string, Set<Watch>>;

/** A watch that stands on the server once the read that carries it has succeeded. */
export interface WatchClaim {
  /** The read was answered: `exists` says whether there is such a znode. */
  confirm(exists: boolean): void;
  /** The read is over, one way or the other. */
  release(): void;
}

/** What a connection that replaces another has to be told. */
export interface WatchLists {
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
}

const EVENT_NAMES = {
  [WatchEventType.created]: 'created',
  [WatchEventType.deleted]: 'deleted',
  [WatchEventType.dataChanged]: 'dataChanged',
  [WatchEventType.childrenChanged]: 'childrenChanged',
} as const;

/** The word that callers use for a type of the wire. */
export function eventName(type: WatchEventType): (typeof EVENT_NAMES)[WatchEventType] {
  return EVENT_NAMES[type];
}

/** Tables whose watches an event uses up. */
const CONSUMED: Readonly<Record<WatchEventType, readonly WatchKind[]>> = {
  [WatchEventType.created]: ['data', 'exist'],
  [WatchEventType.deleted]: ['data', 'exist', 'child'],
  [WatchEventType.dataChanged]: ['data', 'exist'],
  [WatchEventType.childrenChanged]: ['child'],
};

/**
 * The one-shot watches of a client, by the paths that callers use. Each is called at most once; one function
 * registered twice at a path counts once. What a callback throws is logged.
 */
export class WatchRegistry {
  readonly #tables: Readonly<Record<WatchKind, Table>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
  };
  /** Reads under way that carry a watch, by table and path: the server may know them already. */
  readonly #claims: Readonly<Record<ServerTable, Map<string, Set<Claim>>>> = {
    [WatcherType.data]: new Map(),
    [WatcherType.children]: new Map(),
  };
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** To be called when a read with a watch is made; the claim stands until it is released. */
  claim(kind: WatchKind, path: string, watch: Watch): WatchClaim {
    const claims = this.#claims[tableOf(kind)];
    const claim = new Claim(watch, {
      confirm: (exists) => add(this.#tables[exists ? withoutAbsence(kind) : 'exist'], path, watch),
      release: () => remove(claims, path, claim),
    });
    add(claims, path, claim);
    return claim;
  }

  /** Calls and forgets whoever waits for this event. */
  dispatch(event: WatchEvent, path: string, zxid: bigint): void {
    const due = new Set<Watch>();
    for (const kind of CONSUMED[event.type]) {
      this.#tables[kind].get(path)?.forEach((watch) => due.add(watch));
      this.#tables[kind].delete(path);
    }
    const notice: WatchNotice = { type: eventName(event.type), path, zxid };
    for (const watch of due) this.#call(watch, notice);
  }

  /** The session is over: everybody who waits is told so. */
  sessionLost(): void {
    const due = new Map<string, Set<Watch>>();
    for (const table of Object.values(this.#tables)) {
      for (const [path, watches] of table) watches.forEach((watch) => add(due, path, watch));
      table.clear();
    }
    for (const [path, watches] of due) {
      for (const watch of watches) this.#call(watch, { type: 'sessionLost', path });
    }
  }

  /** Forgets a watch. Returns the tables of the server in which nobody waits at this path any more. */
  remove(path: string, watch: Watch): ServerTable[] {
    const touched = new Set<ServerTable>();
    for (const kind of ['data', 'exist', 'child'] as const) {
      if (remove(this.#tables[kind], path, watch)) touched.add(tableOf(kind));
    }
    for (const table of [WatcherType.data, WatcherType.children] as const) {
      for (const claim of this.#claims[table].get(path) ?? []) {
        if (claim.withdraw(watch)) touched.add(table);
      }
    }
    return [...touched].filter((table) => !this.#isWanted(table, path));
  }

  /** Whether the server may hold a one-shot watch at this path. */
  isWatched(path: string): boolean {
    return this.#isWanted(WatcherType.data, path) || this.#isWanted(WatcherType.children, path);
  }

  lists(): WatchLists {
    return {
      dataWatches: [...this.#tables.data.keys()],
      existWatches: [...this.#tables.exist.keys()],
      childWatches: [...this.#tables.child.keys()],
    };
  }

  #isWanted(table: ServerTable, path: string): boolean {
    const kinds: readonly WatchKind[] = table === WatcherType.data ? ['data', 'exist'] : ['child'];
    if (kinds.some((kind) => this.#tables[kind].has(path))) return true;
    return [...(this.#claims[table].get(path) ?? [])].some((claim) => !claim.isWithdrawn);
  }

  #call(watch: Watch, notice: WatchNotice): void {
    try {
      watch(notice);
    } catch (error) {
      this.#logger.error('a watch callback threw', { path: notice.path, event: notice.type, error });
    }
  }
}

class Claim implements WatchClaim {
  readonly #watch: Watch;
  readonly #effects: WatchClaim;
  isWithdrawn = false;

  constructor(watch: Watch, effects: WatchClaim) {
    this.#watch = watch;
    this.#effects = effects;
  }

  confirm(exists: boolean): void {
    if (!this.isWithdrawn) this.#effects.confirm(exists);
  }

  release(): void {
    this.#effects.release();
  }

  /** True if it was this watch's and stood until now. */
  withdraw(watch: Watch): boolean {
    if (watch !== this.#watch || this.isWithdrawn) return false;
    this.isWithdrawn = true;
    return true;
  }
}

function tableOf(kind: WatchKind): ServerTable {
  return kind === 'child' ? WatcherType.children : WatcherType.data;
}

/** Where a watch goes whose znode was there: `exists` on a znode that exists waits for its data. */
function withoutAbsence(kind: WatchKind): WatchKind {
  return kind === 'exist' ? 'data' : kind;
}

function add<T>(table: Map<string, Set<T>>, path: string, item: T): void {
  const items = table.get(path);
  if (items === undefined) table.set(path, new Set([item]));
  else items.add(item);
}

function remove<T>(table: Map<string, Set<T>>, path: string, item: T): boolean {
  const items = table.get(path);
  if (items === undefined || !items.delete(item)) return false;
  if (items.size === 0) table.delete(path);
  return true;
}
