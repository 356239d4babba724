import * as assert from 'uvu/assert';
import type { Disk, FileStorage, LogEntry } from '../../../core/storage/index.js';
import { content, entries, start, zxid, type Found } from './history.js';

/** A history as its zxids. */
export type History = readonly bigint[];

export interface Step {
  run(storage: FileStorage): Promise<void>;
  /** What it makes of the history that was before. */
  apply(before: History): History;
  readonly acceptedEpoch?: number;
  /** Whether the member has to rejoin afterwards. */
  readonly isRejoining?: boolean;
  /** The storage is closed in order behind it, and opened again. */
  readonly restarts?: true;
}

export const ids = (list: readonly LogEntry[]): History => list.map((entry) => entry.zxid);

/** In batches of ten, each a step of its own: what is acknowledged stays. */
function append(list: readonly LogEntry[], acceptedEpoch?: number): Step[] {
  const steps: Step[] = [];
  if (acceptedEpoch !== undefined) {
    steps.push({
      run: (storage) => storage.persist({ acceptedEpoch }),
      apply: (before) => before,
      acceptedEpoch,
    });
  }
  for (let from = 0; from < list.length; from += 10) {
    const batch = list.slice(from, from + 10);
    steps.push({
      run: (storage) => storage.persist({ entries: batch }),
      apply: (before) => [...before, ...ids(batch)],
    });
  }
  return steps;
}

/** What it forgot, if anything, is made durable together with the first entries behind it. */
function rejoin(isRejoining: boolean, list: readonly LogEntry[]): Step {
  return {
    run: (storage) => storage.persist({ rejoining: isRejoining ? 'damaged' : null, entries: list }),
    apply: (before) => [...before, ...ids(list)],
    isRejoining,
  };
}

/** Batches and a snapshot under way at the same time. */
function burst(list: readonly LogEntry[], at: bigint, history: () => History): Step {
  return {
    run: async (storage) => {
      const batches = [];
      for (let from = 0; from < list.length; from += 7)
        batches.push(storage.persist({ entries: list.slice(from, from + 7) }));
      await Promise.all([...batches, snapshot(at, history).run(storage)]);
    },
    apply: (before) => [...before, ...ids(list)],
  };
}

function restart(): Step {
  return { run: async () => undefined, apply: (before) => before, restarts: true };
}

function truncate(after: bigint, list: readonly LogEntry[]): Step {
  return {
    run: (storage) => storage.persist({ truncateAfter: after, entries: list }),
    apply: (before) => [...before.filter((id) => id <= after), ...ids(list)],
  };
}

/** A snapshot's content is the history that it stands for. */
function snapshot(at: bigint, history: () => History): Step {
  return {
    run: (storage) =>
      storage.writeSnapshot(
        at,
        [],
        content(
          history()
            .filter((id) => id <= at)
            .join(' '),
        ),
      ),
    apply: (before) => before,
  };
}

function install(history: History): Step {
  return {
    run: (storage) => storage.installSnapshot(history.at(-1)!, [], content(history.join(' '))),
    apply: () => history,
  };
}

export function historyOf(found: Found): History {
  const inSnapshot = found.snapshot?.content.split(' ').filter(Boolean).map(BigInt) ?? [];
  return [...inSnapshot, ...found.entries.map((entry) => entry.zxid)];
}

/** Every kind of change, over several segments, snapshots, generations and lives. */
export function script(current: () => History): readonly Step[] {
  return [
    append([], 1),
    append(entries(0, 10, { bytes: 100 })),
    restart(),
    append(entries(10, 40, { bytes: 150 })),
    snapshot(zxid(20), current),
    append(entries(50, 60, { bytes: 150 }), 2),
    truncate(zxid(29), entries(0, 1, { epoch: 2 })),
    append(entries(1, 30, { epoch: 2, bytes: 200 })),
    truncate(zxid(14, 2), []),
    snapshot(zxid(11, 2), current),
    rejoin(true, entries(15, 5, { epoch: 2, bytes: 150 })),
    append(entries(20, 35, { epoch: 2, bytes: 150 }), 3),
    install(ids(entries(0, 60, { epoch: 3 }))),
    append(entries(60, 20, { epoch: 3, bytes: 200 })),
    rejoin(false, []),
    restart(),
    append(entries(80, 10, { epoch: 3, bytes: 1_500 })),
    snapshot(zxid(89, 3), current),
    truncate(zxid(89, 3), entries(90, 3, { epoch: 3 })),
    burst(entries(93, 60, { epoch: 3, bytes: 90 }), zxid(92, 3), current),
  ].flat();
}

export interface Run {
  /** Before the step that was under way, and after it. */
  readonly before: History;
  readonly after: History;
  readonly epochBefore: number;
  readonly epochAfter: number;
  readonly isRejoiningBefore: boolean;
  readonly isRejoiningAfter: boolean;
}

/** Runs the script to its end; `note` hears where it is whenever that changes. */
export async function runScript(disk: Disk, note: (run: Run) => void): Promise<void> {
  let [before, epoch, isRejoining]: [History, number, boolean] = [[], 0, false];
  const at = (step: Step | null): Run => ({
    before,
    after: step?.apply(before) ?? before,
    epochBefore: epoch,
    epochAfter: step?.acceptedEpoch ?? epoch,
    isRejoiningBefore: isRejoining,
    isRejoiningAfter: step?.isRejoining ?? isRejoining,
  });
  note(at(null));
  let { storage } = await start(disk, { snapshotsKept: 1 });
  for (const step of script(() => before)) {
    const run = at(step);
    note(run);
    await step.run(storage);
    if (step.restarts === true) {
      await storage.close();
      ({ storage } = await start(disk, { snapshotsKept: 1 }));
    }
    [before, epoch, isRejoining] = [run.after, run.epochAfter, run.isRejoiningAfter];
    note(at(null));
  }
  await storage.close();
}

function isPrefix(short: History, long: History): boolean {
  return short.length <= long.length && short.every((id, index) => id === long[index]);
}

/** What the step under way kept in common is there; beyond it stands a part of what was before or of what comes after. */
function requireExplained(found: History, { before, after }: Run, context: string): void {
  const firstDifference = before.findIndex((id, index) => id !== after[index]);
  const common = firstDifference === -1 ? before : before.slice(0, firstDifference);
  const isAppend = common.length === before.length;
  const isInstall = common.length === 0 && before.length > 0;
  const isExplained = isInstall
    ? String(found) === String(before) || String(found) === String(after)
    : isPrefix(common, found) && (isPrefix(found, after) || (!isAppend && isPrefix(found, before)));
  if (!isExplained) assert.unreachable(`${context}: found ${found.length} entries that nothing explains`);
}

/** What was found has an explanation in what was acknowledged and what was under way. */
export function requireFound(found: Found, run: Run, context: string): void {
  requireExplained(historyOf(found), run, context);
  const { epochBefore, epochAfter, isRejoiningBefore, isRejoiningAfter } = run;
  if (![epochBefore, epochAfter].includes(found.acceptedEpoch))
    assert.unreachable(`${context}: epoch ${found.acceptedEpoch} instead of ${epochBefore} or ${epochAfter}`);
  const isRejoining = found.rejoining !== null;
  if (![isRejoiningBefore, isRejoiningAfter].includes(isRejoining))
    assert.unreachable(`${context}: rejoining is ${found.rejoining}`);
}
