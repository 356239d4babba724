import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Change, WatchTable, parentOf } from '../../../core/data/index.js';
import { OPEN_ACL, WatchEventType, WatcherType } from '../../../core/protocol/index.js';

const { created, deleted, childrenChanged } = WatchEventType;

type Mode = 'standard' | 'persistent' | 'recursive';
interface Entry {
  readonly watcher: string;
  readonly table: 'data' | 'child';
  readonly path: string;
  readonly mode: Mode;
}

/** The rules said once more, over a plain list that is searched from end to end. */
class ModelOfWatches {
  entries: Entry[] = [];

  add(entry: Entry): void {
    this.remove((each) => isSame(each, entry));
    this.entries.push(entry);
  }

  remove(matches: (entry: Entry) => boolean): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter((entry) => !matches(entry));
    return this.entries.length < before;
  }

  /** Sets of `watcher type path`, one set for each step of the order. */
  trigger({ type, path }: Change, mayRead: (watcher: string) => boolean): string[][] {
    const parent = parentOf(path);
    const ofData = this.entries.filter(
      (entry) =>
        entry.table === 'data' &&
        (entry.path === path || (entry.mode === 'recursive' && isAncestor(entry.path, path))),
    );
    const ofChildren = this.entries.filter(
      (entry) => entry.table === 'child' && entry.path === path && type === deleted,
    );
    const ofParent = this.entries.filter(
      (entry) => entry.table === 'child' && entry.path === parent && (type === created || type === deleted),
    );
    const touched = [...ofData, ...ofChildren, ...ofParent];
    this.remove((entry) => entry.mode === 'standard' && touched.includes(entry));
    const told = (entries: Entry[], event: string) =>
      [...new Set(entries.map(({ watcher }) => watcher))]
        .filter(mayRead)
        .map((watcher) => `${watcher} ${event}`)
        .sort();
    return [
      told([...ofData, ...ofChildren], `${type} ${path}`),
      told(ofParent, `${childrenChanged} ${parent}`),
    ];
  }

  matches(watcher: string, path: string, type: number, isRemove: boolean): (entry: Entry) => boolean {
    return (entry) => {
      if (entry.watcher !== watcher || entry.path !== path) return false;
      if (type === WatcherType.any) return true;
      if (type === WatcherType.children) return entry.table === 'child' && entry.mode === 'standard';
      if (type === WatcherType.data) return entry.table === 'data' && entry.mode === 'standard';
      if (type === WatcherType.persistentRecursive) return entry.mode === 'recursive';
      return entry.mode === 'persistent' && (isRemove || entry.table === 'data');
    };
  }
}

function isSame(one: Entry, other: Entry): boolean {
  return (
    one.watcher === other.watcher &&
    one.table === other.table &&
    one.path === other.path &&
    one.mode === other.mode
  );
}

function isAncestor(path: string, of: string): boolean {
  return path !== of && (path === '/' || of.startsWith(`${path}/`));
}

/** `/ab` beside `/a`: a prefix of text is no ancestor. */
const paths = fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/ab', '/a/d');
const watchers = fc.constantFrom('v', 'w', 'x');
const changeTypes = fc.constantFrom<Change['type'][]>(1, 2, 3);
const steps = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constantFrom('data', 'child', 'persistent', 'recursive', 'leave'),
      watcher: watchers,
      path: paths,
    }),
    fc.record({
      type: fc.constantFrom('check', 'remove'),
      watcher: watchers,
      path: paths,
      kind: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({
      type: fc.constant('change'),
      change: changeTypes,
      path: paths.filter((path) => path !== '/'),
      blind: watchers,
    }),
  ),
  { maxLength: 80 },
);
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never;

class Pair {
  private readonly table = new WatchTable<string>();
  private readonly model = new ModelOfWatches();

  step(step: Step): void {
    if ('change' in step) this.change(step.change, step.path, step.blind);
    else if ('kind' in step) this.ask(step);
    else this.register(step);
    const pairs = new Set(
      this.model.entries.map(({ watcher, table, path }) => `${watcher} ${table} ${path}`),
    );
    assert.is(this.table.watchCount, pairs.size);
  }

  private register({ type, watcher, path }: { type: string; watcher: string; path: string }): void {
    const add = (table: Entry['table'], mode: Mode) => this.model.add({ watcher, path, table, mode });
    if (type === 'data') {
      this.table.addData(watcher, path);
      add('data', 'standard');
    } else if (type === 'child') {
      this.table.addChild(watcher, path);
      add('child', 'standard');
    } else if (type === 'leave') {
      this.table.removeAll(watcher);
      this.model.remove((entry) => entry.watcher === watcher);
    } else if (type === 'recursive') {
      this.table.addPersistent(watcher, path, true);
      add('data', 'recursive');
    } else {
      this.table.addPersistent(watcher, path, false);
      add('data', 'persistent');
      add('child', 'persistent');
    }
  }

  private ask({ type, watcher, path, kind }: { type: string; watcher: string; path: string; kind: number }) {
    const matches = this.model.matches(watcher, path, kind, type === 'remove');
    if (type === 'check') {
      assert.is(this.table.check(watcher, path, kind), this.model.entries.some(matches));
    } else {
      assert.is(this.table.remove(watcher, path, kind), this.model.remove(matches));
    }
  }

  private change(type: Change['type'], path: string, blind: string): void {
    const change: Change = { type, path, acl: OPEN_ACL, parentAcl: OPEN_ACL };
    const heard: string[] = [];
    this.table.trigger(
      change,
      (watcher) => watcher !== blind,
      (watcher, event) => heard.push(`${watcher} ${event.type} ${event.path}`),
    );
    const [ofNode, ofParent] = this.model.trigger(change, (watcher) => watcher !== blind);
    assert.equal(heard.slice(0, ofNode!.length).sort(), ofNode);
    assert.equal(heard.slice(ofNode!.length).sort(), ofParent);
  }
}

test('whatever is registered, removed and changed, the tables tell what the rules say', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const pair = new Pair();
      for (const step of sequence) pair.step(step);
    }),
    { numRuns: 1000 },
  );
});

test.run();
