import type { Acl, WatchEventType } from '../protocol/index.js';

/** A znode changed: what the watch tables have to know of it, READ filter included. */
export interface Change {
  readonly type:
    typeof WatchEventType.created | typeof WatchEventType.deleted | typeof WatchEventType.dataChanged;
  readonly path: string;
  /** The ACL that decides who may hear of the znode itself, and of its parent's children. */
  readonly acl: readonly Acl[];
  readonly parentAcl: readonly Acl[];
}
