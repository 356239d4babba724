import { createHash } from 'node:crypto';
import type { Disk } from '../../../../core/storage/index.js';
import { find, type Found } from '../history.js';
import { requireFound, runScript, type Run } from '../history-script.js';
import { DiskModel, type CrashState } from './crash-states.js';
import { RecordingDisk, type DiskEvent } from './recording-disk.js';

export interface Enumeration {
  /** Moments at which the process could have crashed. */
  readonly moments: number;
  /** Different states that a crash may leave there. Each was recovered from. */
  readonly states: number;
  /** Different states that a second crash, during the recovery from a first, may leave. Each was recovered from. */
  readonly statesOfRecoveries: number;
}

/** What may have happened up to a moment, and how the check of a state at that moment judges what is found. */
type Check = (found: Found, context: string) => void;

/**
 * Records what the storage does to its disk in a script of every kind of change, enumerates the states that a power failure may
 * leave at every moment of it, and recovers from each. Each must come to what was acknowledged by then, and to nothing that was
 * never asked for. The same is done for the recoveries themselves. Throws with the number of the state otherwise.
 */
export async function recoverFromCrashStates(): Promise<Enumeration> {
  const disk = new RecordingDisk<Run>();
  await runScript(disk, (run) => disk.note(run));
  const seen = new Set<string>();
  const seenOfRecoveries = new Set<string>();
  let moments = 0;
  for (const { model, mark: run, moment } of momentsOf(disk.events, new DiskModel())) {
    moments += 1;
    const check: Check = (found, context) => requireFound(found, run, context);
    for (const state of model.states()) {
      if (!isNew(seen, state, [run.before.length, run.after.length, run.epochBefore, run.epochAfter]))
        continue;
      const context = `crash behind event ${moment}, state ${seen.size}`;
      const recovery = new RecordingDisk<Found>(state);
      await checked(recovery, check, context);
      await recoverAgain({ state, recovery, check, context, seen: seenOfRecoveries });
    }
  }
  return { moments, states: seen.size, statesOfRecoveries: seenOfRecoveries.size };
}

interface SecondCrash {
  readonly state: CrashState;
  readonly recovery: RecordingDisk<Found>;
  readonly check: Check;
  readonly context: string;
  readonly seen: Set<string>;
}

/** Crashes at every moment of a recovery; what a recovery has found by its end is found by every later one. */
async function recoverAgain({ state, recovery, check, context, seen }: SecondCrash): Promise<void> {
  const model = new DiskModel(state);
  const end = recovery.events.findIndex(({ type }) => type === 'mark');
  for (const [moment, event] of recovery.events.entries()) {
    model.apply(event);
    const first = moment >= end && recovery.events[end]!.type === 'mark' ? recovery.events[end] : undefined;
    for (const next of model.states()) {
      if (!isNew(seen, next, [context])) continue;
      const where = `${context}, then behind event ${moment} of the recovery`;
      const found = await checked(new RecordingDisk<Found>(next), check, where);
      if (first?.type === 'mark' && plainOf(found) !== plainOf(first.mark))
        throw new Error(`${where}: what the first recovery had found is not found again`);
    }
  }
}

function* momentsOf<Mark>(
  events: readonly DiskEvent<Mark>[],
  model: DiskModel,
): Generator<{ readonly model: DiskModel; readonly mark: Mark; readonly moment: number }> {
  let mark: Mark | null = null;
  for (const [moment, event] of events.entries()) {
    model.apply(event);
    if (event.type === 'mark') mark = event.mark;
    if (mark !== null) yield { model, mark, moment };
  }
}

async function checked(
  disk: Disk & { note(found: Found): void },
  check: Check,
  context: string,
): Promise<Found> {
  try {
    const found = await find(disk);
    disk.note(found);
    check(found, context);
    return found;
  } catch (error) {
    throw new Error(`${context}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Whether nothing like it was played before. */
function isNew(seen: Set<string>, state: CrashState, facts: readonly (string | number)[]): boolean {
  const hash = createHash('sha1').update(facts.join());
  for (const [name, content] of [...state].sort(([one], [other]) => (one < other ? -1 : 1)))
    hash.update(`${name} ${content.length} `).update(content);
  const { size } = seen;
  seen.add(hash.digest('base64'));
  return seen.size > size;
}

function plainOf({ acceptedEpoch, rejoining, epochs, snapshot, entries }: Found): string {
  const asText = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? value.toString() : value;
  return JSON.stringify({ acceptedEpoch, rejoining, epochs, snapshot, entries }, asText);
}
