/** What the replicated state, its preparer and the tables of a member keep of what is gone, counted in everything that they reach. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  OPEN_ACL,
  OpCode,
  Permission,
  WatchEventType,
  WatcherType,
  type Id,
} from '../../../core/protocol/index.js';
import { SessionTracker, WatchTable, type Change } from '../../../core/data/index.js';
import { type Census, censusOf, differences } from '../census.js';
import { EnsembleOfOne } from './ensemble-of-one.js';
import { type Step, steps } from './random-operations.js';

const SUPER: Id = { scheme: 'super', id: '' };
/** Numbers that only grow, moments, and what the preset znodes tell of their past. */
const PAST =
  /zxid|time|serial|reaper|removals|digest|hash|body|newest|changedAt|creates|version|refusals|children$/i;

/** Everything that is not there from the start goes: znodes from the deepest on, then the sessions. */
function removeAll(self: EnsembleOfOne): void {
  const paths = [...self.machine.state.tree.values()].map(({ path }) => path);
  for (const path of paths.sort().reverse()) {
    self.openSession(0x999n);
    self.write(
      { op: OpCode.delete, body: { path, version: -1 } },
      { sessionId: 0x999n, identities: [SUPER] },
    );
  }
  for (const sessionId of new Set(self.machine.sessions.keys())) self.closeSession(sessionId);
}

/** The znodes that are always there hold again what they held at the start. */
function restorePresets(self: EnsembleOfOne): void {
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
    const acl = path.endsWith('config')
      ? [{ perms: Permission.read, id: { scheme: 'world', id: 'anyone' } }]
      : OPEN_ACL;
    self.force({ type: 'setAcl', path, acl, aversion: 0 });
    self.force({ type: 'setData', path, data: new Uint8Array(0), version: 0 });
  }
}

function play(script: readonly Step[], enforceQuota: boolean): Census {
  const self = new EnsembleOfOne({ enforceQuota, maxTreeBytes: 5_000 });
  const snapshot = self.machine.snapshot();
  for (const step of script) {
    if (step.type === 'propose') self.propose(step.request, step);
    else for (let count = 0; count < step.count && self.applied < self.log.length; count++) self.commit();
  }
  while (self.applied < self.log.length) self.commit();
  snapshot.close();
  restorePresets(self);
  removeAll(self);
  assert.is(self.preparer.pendingCount, 0);
  return censusOf({ state: self.machine.state, preparer: self.preparer, constructor: Object });
}

for (const enforceQuota of [false, true])
  test(`whatever was written${enforceQuota ? ' under quotas' : ''}, nothing is kept of it when it is deleted`, () => {
    const fresh = play([], enforceQuota);
    fc.assert(
      fc.property(steps(40), (script) => {
        assert.is(differences(fresh, play(script, enforceQuota), PAST).join('\n'), '');
      }),
      { numRuns: 30, includeErrorInReport: true },
    );
  });

const WATCHERS = ['one', 'two', 'three'];
const PATHS = ['/', '/a', '/a/b', '/a/b/c', '/d'];
const TYPES = [WatchEventType.created, WatchEventType.deleted, WatchEventType.dataChanged] as const;

const watching = fc.record({
  act: fc.constantFrom('data', 'child', 'persistent', 'recursive', 'remove', 'trigger', 'leave'),
  watcher: fc.constantFrom(...WATCHERS),
  path: fc.constantFrom(...PATHS),
  kind: fc.constantFrom(...Object.values(WatcherType)),
  type: fc.constantFrom(...TYPES),
});

test('a table of watches whose watchers are gone is like a new one, and they are charged nothing', () => {
  fc.assert(
    fc.property(fc.array(watching, { maxLength: 60 }), (acts) => {
      const charged = new Map<string, number>();
      const charge = (watcher: string, bytes: number): void =>
        void charged.set(watcher, (charged.get(watcher) ?? 0) + bytes);
      const table = new WatchTable<string>(charge);
      for (const { act, watcher, path, kind, type } of acts) {
        const change: Change = { type, path, acl: OPEN_ACL, parentAcl: OPEN_ACL };
        if (act === 'data') table.addData(watcher, path);
        else if (act === 'child') table.addChild(watcher, path);
        else if (act === 'remove') table.remove(watcher, path, kind);
        else if (act === 'leave') table.removeAll(watcher);
        else if (act === 'trigger')
          table.trigger(
            change,
            () => true,
            () => undefined,
          );
        else table.addPersistent(watcher, path, act === 'recursive');
      }
      for (const watcher of WATCHERS) table.removeAll(watcher);
      while (table.isRemoving) table.removeSome(3);
      assert.is(differences(censusOf(new WatchTable<string>(charge)), censusOf(table), /^$/).join('\n'), '');
      assert.equal(
        [...charged.values()].filter((bytes) => bytes !== 0),
        [],
      );
    }),
    { numRuns: 30, includeErrorInReport: true },
  );
});

const living = fc.record({
  act: fc.constantFrom('add', 'touch', 'own', 'close', 'remove', 'expire'),
  sessionId: fc.constantFrom(1n, 2n, 3n),
  timeoutMs: fc.constantFrom(100, 1_000, 5_000),
  passedMs: fc.constantFrom(0, 50, 400),
});

test('a tracker of sessions that are all removed is like a new one', () => {
  fc.assert(
    fc.property(fc.array(living, { maxLength: 60 }), (acts) => {
      const tracker = new SessionTracker<string>(100);
      let nowMs = 0;
      for (const { act, sessionId, timeoutMs, passedMs } of acts) {
        nowMs += passedMs;
        if (act === 'add') tracker.add(sessionId, timeoutMs, nowMs, 'a');
        else if (act === 'touch') tracker.touch(sessionId, nowMs);
        else if (act === 'own') tracker.setOwner(sessionId, 'b');
        else if (act === 'close') tracker.setClosing(sessionId);
        else if (act === 'remove') tracker.remove(sessionId);
        else for (const expired of tracker.expired(nowMs, 10)) tracker.setClosing(expired);
      }
      for (const sessionId of [1n, 2n, 3n]) tracker.remove(sessionId);
      assert.is(differences(censusOf(new SessionTracker(100)), censusOf(tracker), /^$/).join('\n'), '');
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

test.run();
