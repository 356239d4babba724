import type { Client } from '../../client/index.js';

/** Counters, owner and times of a znode. */
export type NodeStat = NonNullable<Awaited<ReturnType<Client['exists']>>>;

/** A znode as a cache knows it. Not to be modified. */
export interface NodeValue {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly stat: NodeStat;
}

/** A change of what a cache knows. A znode deleted and created again between two looks is one `changed`. */
export type CacheEvent =
  | { readonly type: 'created'; readonly path: string; readonly node: NodeValue }
  | {
      readonly type: 'changed';
      readonly path: string;
      readonly node: NodeValue;
      readonly previous: NodeValue;
    }
  | { readonly type: 'deleted'; readonly path: string; readonly previous: NodeValue };
