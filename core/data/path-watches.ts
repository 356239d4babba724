/** How a watch was asked for; the modes of one watcher at one path are kept as bits. */
export const WatchMode = { standard: 1, persistent: 2, recursive: 4 } as const;

const NO_PATHS: ReadonlySet<string> = new Set();

/** One of the two tables of watches: which watcher waits at which path, in which modes. */
export class PathWatches<W> {
  private readonly byPath = new Map<string, Map<W, number>>();
  private readonly byWatcher = new Map<W, Set<string>>();
  private entries = 0;
  private recursiveEntries = 0;

  /** Pairs of watcher and path. */
  get size(): number {
    return this.entries;
  }

  /** Pairs with a recursive watch: if there are none, nobody has to look at ancestors. */
  get recursiveCount(): number {
    return this.recursiveEntries;
  }

  watchersAt(path: string): ReadonlyMap<W, number> | undefined {
    return this.byPath.get(path);
  }

  pathsOf(watcher: W): ReadonlySet<string> {
    return this.byWatcher.get(watcher) ?? NO_PATHS;
  }

  modesOf(watcher: W, path: string): number {
    return this.byPath.get(path)?.get(watcher) ?? 0;
  }

  add(watcher: W, path: string, mode: number): void {
    this.setModes(watcher, path, this.modesOf(watcher, path) | mode);
  }

  /** False when there was none of these modes. */
  remove(watcher: W, path: string, modes: number): boolean {
    const present = this.modesOf(watcher, path);
    if ((present & modes) === 0) return false;
    this.setModes(watcher, path, present & ~modes);
    return true;
  }

  removeWatcher(watcher: W): void {
    for (const path of this.byWatcher.get(watcher) ?? []) this.setModes(watcher, path, 0);
  }

  private setModes(watcher: W, path: string, modes: number): void {
    const before = this.modesOf(watcher, path);
    if (before === modes) return;
    this.recursiveEntries += Number((modes & WatchMode.recursive) !== 0);
    this.recursiveEntries -= Number((before & WatchMode.recursive) !== 0);
    if (modes === 0) this.drop(watcher, path);
    else this.keep(watcher, path, modes, before === 0);
  }

  private keep(watcher: W, path: string, modes: number, isNew: boolean): void {
    const watchers = this.byPath.get(path) ?? new Map<W, number>();
    watchers.set(watcher, modes);
    if (!isNew) return;
    this.byPath.set(path, watchers);
    const paths = this.byWatcher.get(watcher) ?? new Set();
    this.byWatcher.set(watcher, paths.add(path));
    this.entries++;
  }

  private drop(watcher: W, path: string): void {
    const watchers = this.byPath.get(path);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.byPath.delete(path);
    const paths = this.byWatcher.get(watcher);
    paths?.delete(path);
    if (paths?.size === 0) this.byWatcher.delete(watcher);
    this.entries--;
  }
}
