import { PathPrefixes } from './path-prefixes.js';

/** How a watch was asked for; the modes of one watcher at one path are kept as bits. */
export const WatchMode = { standard: 1, persistent: 2, recursive: 4 } as const;

const NO_PATHS: ReadonlySet<string> = new Set();

/** What a watch takes in memory besides its path, about. */
const WATCH_BYTES = 256;
/** A watcher with more paths goes a part at a time. */
const REMOVED_AT_ONCE = 1_000;

/** Bytes that a watch at this path counts for. */
export function watchBytes(path: string): number {
  return WATCH_BYTES + path.length;
}

/**
 * One of the two tables of watches: which watcher waits at which path, in which modes. A thousand may wait at one path, for one
 * change of it, and at no other: such watches come and go without a set of their own.
 */
export class PathWatches<W> {
  private readonly byPath = new Map<string, Map<W, number>>();
  /** The path, or several. */
  private readonly byWatcher = new Map<W, string | Set<string>>();
  /** Watchers that are gone, with the paths that they are still to be removed from. */
  private readonly leaving: { readonly watcher: W; readonly paths: Iterator<string> }[] = [];
  private readonly charge: (watcher: W, bytes: number) => void;
  private entries = 0;
  private readonly recursive = new PathPrefixes();

  /** `charge` is called with what a watcher's watches take more, or less. */
  constructor(charge: (watcher: W, bytes: number) => void = () => undefined) {
    this.charge = charge;
  }

  /** Pairs of watcher and path. */
  get size(): number {
    return this.entries;
  }

  /** Watchers that wait at any path. */
  get watcherCount(): number {
    return this.byWatcher.size;
  }

  /** Pairs with a recursive watch: if there are none, nobody has to look at ancestors. */
  get recursiveCount(): number {
    return this.recursive.size;
  }

  /** Calls `found` for every path above `path` that a watcher has a recursive watch at; costs about as much as `path` is long. */
  forEachRecursiveAbove(path: string, found: (watchers: ReadonlyMap<W, number>) => void): void {
    this.recursive.above(path, (prefix) => found(this.byPath.get(prefix)!));
  }

  watchersAt(path: string): ReadonlyMap<W, number> | undefined {
    return this.byPath.get(path);
  }

  pathsOf(watcher: W): ReadonlySet<string> {
    const paths = this.byWatcher.get(watcher) ?? NO_PATHS;
    return typeof paths === 'string' ? new Set([paths]) : paths;
  }

  modesOf(watcher: W, path: string): number {
    return this.byPath.get(path)?.get(watcher) ?? 0;
  }

  add(watcher: W, path: string, mode: number): void {
    const present = this.modesOf(watcher, path);
    this.setModes(watcher, path, present, present | mode);
  }

  /** False when there was none of these modes. */
  remove(watcher: W, path: string, modes: number): boolean {
    const present = this.modesOf(watcher, path);
    if ((present & modes) === 0) return false;
    this.setModes(watcher, path, present, present & ~modes);
    return true;
  }

  /** Removes all watches of a watcher that is gone and is never given again; if they are many, `removeSome` has to be called. */
  removeWatcher(watcher: W): void {
    const paths = this.pathsOf(watcher);
    if (paths.size > REMOVED_AT_ONCE) {
      this.byWatcher.delete(watcher);
      this.leaving.push({ watcher, paths: paths.values() });
      return;
    }
    for (const path of paths) this.setModes(watcher, path, this.modesOf(watcher, path), 0);
  }

  /** Watches of watchers that are gone are still to be removed. */
  get isRemoving(): boolean {
    return this.leaving.length > 0;
  }

  /** Removes at most `most` of them; returns how many it may still remove. */
  removeSome(most: number): number {
    let left = most;
    for (let one = this.leaving[0]; one !== undefined && left > 0;) {
      const step = one.paths.next();
      if (step.done === true) {
        this.leaving.shift();
        one = this.leaving[0];
        continue;
      }
      this.setModes(one.watcher, step.value, this.modesOf(one.watcher, step.value), 0);
      left -= 1;
    }
    return left;
  }

  /**
   * Takes away the one-shot watches at this path, all at once. Returns who waited there, in whatever modes, as a map that
   * changes no more; undefined is nobody.
   */
  consume(path: string): ReadonlyMap<W, number> | undefined {
    const watchers = this.byPath.get(path);
    if (watchers === undefined) return undefined;
    let left: Map<W, number> | null = null;
    for (const [watcher, modes] of watchers) {
      const lasting = modes & ~WatchMode.standard;
      if (lasting === 0) {
        this.forgetPath(watcher, path);
        this.charge(watcher, -watchBytes(path));
      } else (left ??= new Map<W, number>()).set(watcher, lasting);
    }
    this.entries -= watchers.size - (left?.size ?? 0);
    if (left === null) this.byPath.delete(path);
    else this.byPath.set(path, left);
    return watchers;
  }

  private setModes(watcher: W, path: string, before: number, modes: number): void {
    if (before === modes) return;
    if ((modes & ~before & WatchMode.recursive) !== 0) this.recursive.add(path);
    if ((before & ~modes & WatchMode.recursive) !== 0) this.recursive.remove(path);
    if (modes === 0) this.drop(watcher, path);
    else this.keep(watcher, path, modes, before === 0);
  }

  private keep(watcher: W, path: string, modes: number, isNew: boolean): void {
    const watchers = this.byPath.get(path);
    if (watchers === undefined) this.byPath.set(path, new Map([[watcher, modes]]));
    else watchers.set(watcher, modes);
    if (!isNew) return;
    this.charge(watcher, watchBytes(path));
    const paths = this.byWatcher.get(watcher);
    if (paths === undefined) this.byWatcher.set(watcher, path);
    else if (typeof paths === 'string') this.byWatcher.set(watcher, new Set([paths, path]));
    else paths.add(path);
    this.entries++;
  }

  private drop(watcher: W, path: string): void {
    const watchers = this.byPath.get(path);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.byPath.delete(path);
    this.forgetPath(watcher, path);
    this.charge(watcher, -watchBytes(path));
    this.entries--;
  }

  private forgetPath(watcher: W, path: string): void {
    const paths = this.byWatcher.get(watcher);
    if (typeof paths === 'object' && paths.size > 1) paths.delete(path);
    else this.byWatcher.delete(watcher);
  }
}
