import {
  type Acl,
  type SetWatches2Request,
  type WatchEvent,
  WatchEventType,
  WatcherType,
} from '../protocol/index.js';
import type { Change } from './change.js';
import { parentOf } from './path.js';
import { PathWatches, WatchMode } from './path-watches.js';

/** What taking watches up again has to know of a znode. */
export interface WatchedNode {
  readonly mzxid: bigint;
  readonly pzxid: bigint;
  readonly acl: readonly Acl[];
}

/** The tree as watches see it. Undefined when there is no such znode; never throws on any path. */
export interface WatchedTree {
  watchedNode(path: string): WatchedNode | undefined;
}

/** A set of watchers, or a map of which they are the keys. */
type Watchers<W> = Pick<ReadonlySet<W>, 'keys'>;

const ALL_MODES = WatchMode.standard | WatchMode.persistent | WatchMode.recursive;

/**
 * Watches of the connections of one member. `W` is whatever the caller knows a connection by: watches belong to the
 * connection, not to the session, and go with it.
 *
 * There are two tables, for what happens to a znode and for what happens to its children. A watch of a znode's data or
 * existence stands in the first, one of its children in the second, a persistent one in both, a recursive one in
 * the first. One watcher may have several modes at a path (ZOOKEEPER-4466); it still hears of an event once.
 */
export class WatchTable<W> {
  private readonly data: PathWatches<W>;
  private readonly child: PathWatches<W>;

  /** `charge` is called with the bytes that a watcher's watches take more, or less (`watchBytes` for each table). */
  constructor(charge?: (watcher: W, bytes: number) => void) {
    this.data = new PathWatches<W>(charge);
    this.child = new PathWatches<W>(charge);
  }

  /** Pairs of watcher and path, in both tables together. */
  get watchCount(): number {
    return this.data.size + this.child.size;
  }

  /** Where the watcher waits, for whatever. */
  pathsOf(watcher: W): readonly string[] {
    return [...new Set([...this.data.pathsOf(watcher), ...this.child.pathsOf(watcher)])];
  }

  /** One-shot, for getData and exists. */
  addData(watcher: W, path: string): void {
    this.data.add(watcher, path, WatchMode.standard);
  }

  /** One-shot, for getChildren. */
  addChild(watcher: W, path: string): void {
    this.child.add(watcher, path, WatchMode.standard);
  }

  addPersistent(watcher: W, path: string, recursive: boolean): void {
    if (recursive) {
      this.data.add(watcher, path, WatchMode.recursive);
      return;
    }
    this.data.add(watcher, path, WatchMode.persistent);
    this.child.add(watcher, path, WatchMode.persistent);
  }

  /**
   * Takes watches up again after a reconnection, atomically with the present state of `tree`. Returns the
   * events to send at once, for what changed after `request.relativeZxid`; those that the watcher may not read are
   * left out, and their watches with them. Each watch has its event, as in ZooKeeper: the end of a znode is told twice to who watched
   * both its data and its children. What persistent watches missed is not told: their owners read anew.
   */
  rearm(
    watcher: W,
    request: SetWatches2Request,
    tree: WatchedTree,
    mayRead: (acl: readonly Acl[]) => boolean,
  ): readonly WatchEvent[] {
    const missed: { readonly event: WatchEvent; readonly node: WatchedNode | undefined }[] = [];
    for (const path of request.dataWatches) {
      const node = tree.watchedNode(path);
      const event = missedSince(path, WatchEventType.dataChanged, node?.mzxid, request.relativeZxid);
      if (event === null) this.addData(watcher, path);
      else missed.push({ event, node });
    }
    for (const path of request.existWatches) {
      const node = tree.watchedNode(path);
      if (node === undefined) this.addData(watcher, path);
      else missed.push({ event: { type: WatchEventType.created, path }, node });
    }
    for (const path of request.childWatches) {
      const node = tree.watchedNode(path);
      const event = missedSince(path, WatchEventType.childrenChanged, node?.pzxid, request.relativeZxid);
      if (event === null) this.addChild(watcher, path);
      else missed.push({ event, node });
    }
    for (const path of request.persistentWatches) this.addPersistent(watcher, path, false);
    for (const path of request.persistentRecursiveWatches) this.addPersistent(watcher, path, true);
    return missed.filter(({ node }) => node === undefined || mayRead(node.acl)).map(({ event }) => event);
  }

  /** Whether there is a watch that `type` (see `WatcherType`) asks for, at exactly this path. */
  check(watcher: W, path: string, type: number): boolean {
    const data = this.data.modesOf(watcher, path);
    switch (type) {
      case WatcherType.children:
        return (this.child.modesOf(watcher, path) & WatchMode.standard) !== 0;
      case WatcherType.data:
        return (data & WatchMode.standard) !== 0;
      case WatcherType.persistent:
        return (data & WatchMode.persistent) !== 0;
      case WatcherType.persistentRecursive:
        return (data & WatchMode.recursive) !== 0;
      case WatcherType.any:
        return (data | this.child.modesOf(watcher, path)) !== 0;
      default:
        return false;
    }
  }

  /** Takes back what `type` asks for, at exactly this path. False when there is no such watch. */
  remove(watcher: W, path: string, type: number): boolean {
    switch (type) {
      case WatcherType.children:
        return this.child.remove(watcher, path, WatchMode.standard);
      case WatcherType.data:
        return this.data.remove(watcher, path, WatchMode.standard);
      case WatcherType.persistent:
        return this.removeFromBoth(watcher, path, WatchMode.persistent);
      case WatcherType.persistentRecursive:
        return this.data.remove(watcher, path, WatchMode.recursive);
      case WatcherType.any:
        return this.removeFromBoth(watcher, path, ALL_MODES);
      default:
        return false;
    }
  }

  /** The connection is gone and never comes back. Events may still be given to it, until `removeSome` has removed all. */
  removeAll(watcher: W): void {
    this.data.removeWatcher(watcher);
    this.child.removeWatcher(watcher);
  }

  /** Watches of connections that are gone are still to be removed, by `removeSome`. */
  get isRemoving(): boolean {
    return this.data.isRemoving || this.child.isRemoving;
  }

  /** Removes at most `most` of them. */
  removeSome(most: number): void {
    const left = this.data.removeSome(most);
    if (left > 0) this.child.removeSome(left);
  }

  /**
   * Calls `notify` for every event of the change: first for the znode, then for its parent's children. One-shot watches
   * are consumed, also those whose watcher may not read the znode and so hears nothing (CVE-2024-23944). All watchers
   * of one event get the same object. `notify` may change the table.
   */
  trigger(
    change: Change,
    mayRead: (watcher: W, acl: readonly Acl[]) => boolean,
    notify: (watcher: W, event: WatchEvent) => void,
  ): void {
    // Of most changes nobody has to hear: that has to cost next to nothing.
    if (this.data.size === 0 && this.child.size === 0) return;
    const { type, path, acl, parentAcl } = change;
    const ofNode = this.consumeNode(type, path);
    const parent = type === WatchEventType.dataChanged ? null : parentOf(path);
    const ofParent = parent === null ? null : this.consume(this.child, parent, null);
    const tell = (watchers: Watchers<W>, event: WatchEvent, readAcl: readonly Acl[]) => {
      for (const watcher of watchers.keys()) if (mayRead(watcher, readAcl)) notify(watcher, event);
    };
    if (ofNode !== null) tell(ofNode, { type, path }, acl);
    if (ofParent !== null) tell(ofParent, { type: WatchEventType.childrenChanged, path: parent! }, parentAcl);
  }

  /** Who has to hear of the znode itself; null is nobody. Whoever watches the children of a deleted one hears of its end, once. */
  private consumeNode(type: Change['type'], path: string): Watchers<W> | null {
    let watchers = this.consume(this.data, path, null);
    if (this.data.recursiveCount > 0) watchers = this.collectRecursive(path, watchers);
    return type === WatchEventType.deleted ? this.consume(this.child, path, watchers) : watchers;
  }

  /** `watchers` and all who wait at this path; the one-shot watches there are taken away. */
  private consume(table: PathWatches<W>, path: string, watchers: Watchers<W> | null): Watchers<W> | null {
    const present = table.consume(path);
    if (present === undefined) return watchers;
    return watchers === null ? present : new Set([...watchers.keys(), ...present.keys()]);
  }

  private collectRecursive(path: string, watchers: Watchers<W> | null): Watchers<W> {
    const all = new Set(watchers?.keys());
    this.data.forEachRecursiveAbove(path, (present) => {
      for (const [watcher, modes] of present) if ((modes & WatchMode.recursive) !== 0) all.add(watcher);
    });
    return all;
  }

  private removeFromBoth(watcher: W, path: string, modes: number): boolean {
    const inData = this.data.remove(watcher, path, modes);
    return this.child.remove(watcher, path, modes) || inData;
  }
}

/** What a one-shot watch would have told since `relativeZxid`, or null if it may go on waiting. */
function missedSince(
  path: string,
  changeType: WatchEventType,
  changedAt: bigint | undefined,
  relativeZxid: bigint,
): WatchEvent | null {
  if (changedAt === undefined) return { type: WatchEventType.deleted, path };
  return changedAt > relativeZxid ? { type: changeType, path } : null;
}
