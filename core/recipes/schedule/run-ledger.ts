import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import {
  allChildren,
  MultiError,
  OutcomeUnknownError,
  type Client,
  type Operation,
} from '../../client/index.js';
import type { Hold } from '../contention/hold.js';
import { parseSequence } from '../contention/sequence.js';
import { multiFenced } from '../locks/fenced-write.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import {
  repeatRead,
  hasCode,
  isClosed,
  isTransient,
  pause,
  repeatIdempotent,
  repeatIdempotentAcrossSessions,
} from '../waiting/failure.js';
import { decodeRun, encodeRun, type RunKind, type RunOutcome, type RunRecord } from './run-record.js';

export interface RunLedgerOptions {
  /** Parent of all ledgers; `/schedules` by default. */
  readonly root?: string | undefined;
  /** How many runs are kept for those who ask; 20 by default. */
  readonly keep?: number | undefined;
}

/** What is to be run. */
export interface Due {
  readonly kind: RunKind;
  /** Milliseconds since 1970. */
  readonly scheduledAt: number;
  /** Path of the znode by which somebody asked for it. */
  readonly trigger?: string | undefined;
  /** False: it is no moment of a calendar, so it may be due at the same time as one before, or earlier. */
  readonly isOfCalendar?: boolean | undefined;
}

/** A run that this process alone may carry out. */
export interface ClaimedRun {
  readonly path: string;
  readonly record: RunRecord;
}

/** One that was kept. */
export interface KeptRun extends RunRecord {
  /** Name of its znode. */
  readonly id: string;
  /** Of one that was asked for: what `trigger` returned. Undefined also if a leader of version 0.1.0 ran it. */
  readonly trigger?: string | undefined;
}

interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_KEEP = 20;
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const RUN = new RegExp(`^run-${UUID}-(?:(?<trigger>${UUID})-)?-?\\d+$`);
const TRIGGER = new RegExp(`^trigger-(?<trigger>${UUID})-`);
/** How long a run that was asked for is kept at least: while its trigger may be in doubt, it shows that it has begun. */
const TRIGGER_KEPT_MS = 600_000;
/** How long `trigger` looks for what became of it, from the first doubt on. */
const LONGEST_DOUBT_MS = TRIGGER_KEPT_MS / 2;

const LEDGER_OPTIONS: OptionNames<RunLedgerOptions> = { root: true, keep: true };

/**
 * The runs of one job that must not be done twice in the fleet: which was the last, and how the last ones went.
 *
 * Layout, below `/schedules/<name>`, whose data says which occurrence of the schedule was taken last:
 * - `runs/run-<uuid>-<sequence>` persistent: the last runs, see `RunRecord`; of one that somebody asked for
 *   `runs/run-<uuid>-<trigger's uuid>-<sequence>`, which is kept for ten minutes at least;
 * - `triggers/trigger-<uuid>-<sequence>` persistent: runs that somebody asked for and nobody has begun.
 *
 * Guarantee: each occurrence is claimed at most once, whatever is lost, delayed or repeated, and over changes of leader: the
 * claim is one transaction that checks that the leadership is still held, that no other claim came before it, and leaves
 * the record of the run. A claimed run is not given to another when its leader dies: at most once. What one call of
 * `trigger` asked for is claimed at most once, too: whoever claims looks for a run that carries the trigger's uuid.
 */
export class RunLedger {
  readonly path: string;
  readonly #client: Client;
  readonly #keep: number;

  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: RunLedgerOptions = {}) {
    checkOptions('RunLedger', options, LEDGER_OPTIONS);
    this.path = pathBelow(options.root ?? '/schedules', name, 'schedule');
    this.#client = client;
    this.#keep = options.keep ?? DEFAULT_KEEP;
  }

  /** When the occurrence that was taken last was due, in milliseconds since 1970; null if none ever was. */
  async lastDue(options: ReadOptions = {}): Promise<number | null> {
    checkOptions('RunLedger.lastDue', options, SIGNAL_OPTION);
    return (await this.#state(options))?.lastDue ?? null;
  }

  /**
   * Takes a run for the holder of `hold`. Null if it was taken before: by an earlier leader, or, of a trigger, at all.
   * @throws HoldLostError if another may lead; the run was not taken.
   */
  async claim(hold: Hold, due: Due, by: string): Promise<ClaimedRun | null> {
    const { kind, scheduledAt } = due;
    const uuid = this.#client.random.uuid();
    const trigger = due.trigger === undefined ? undefined : triggerOf(nameOf(due.trigger));
    const startedAt = this.#client.clock.wall();
    const record: RunRecord = { kind, scheduledAt, startedAt, by, fence: hold.fence, outcome: 'running' };
    for (let attempt = 0; ; attempt++) {
      hold.signal.throwIfAborted();
      try {
        if (attempt > 0) {
          // What broke before may have taken effect.
          const path = await this.#find(uuid, hold.signal);
          if (path !== null) return { path, record };
        }
        const state = await this.#state({ signal: hold.signal });
        if (state === null) {
          await this.#prepare(hold.signal);
          continue;
        }
        if (isTaken(due, state.lastDue)) return null;
        // Read behind the state: a run that is begun later changes the version that the claim checks.
        if (trigger !== undefined && (await this.#hasBegun(trigger, hold.signal))) {
          await this.#dropTrigger(due.trigger!, hold.signal);
          return null;
        }
        const name = trigger === undefined ? `run-${uuid}-` : `run-${uuid}-${trigger}-`;
        const path = await this.#take(hold, { due, record, name, ...state });
        if (path !== null) return { path, record };
        if (due.trigger !== undefined && (await this.#client.exists(due.trigger)) === null) return null;
      } catch (error) {
        if (!isTransient(error) || isClosed(this.#client, error)) throw error;
        await pause(this.#client, attempt, hold.signal);
      }
    }
  }

  /** Tells how a run ended, and forgets the oldest. Goes on trying over lost sessions, until `signal` aborts. */
  async finish(
    run: ClaimedRun,
    end: { readonly outcome: RunOutcome; readonly durationMs: number; readonly error?: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const data = encodeRun({ ...run.record, ...end });
    try {
      const { mtime } = await repeatIdempotentAcrossSessions(
        this.#client,
        () => this.#client.setData(run.path, data),
        signal,
      );
      await this.#forget(mtime, signal);
    } catch (error) {
      // Forgotten already: so many came after it.
      if (!hasCode(error, 'NO_NODE')) throw error;
    }
  }

  /** What a new leader does first: runs of its predecessors that never told of an end are lost. */
  async settle(hold: Hold): Promise<void> {
    for (const id of await this.#runs({ signal: hold.signal })) {
      const path = `${this.path}/runs/${id}`;
      const read = await this.#read(path, { signal: hold.signal });
      const record = decodeRun(read?.data ?? null);
      if (read === null || record?.outcome !== 'running' || record.fence === hold.fence) continue;
      const data = encodeRun({ ...record, outcome: 'lost' });
      const { version } = read;
      try {
        // Whoever is still at it may tell of its end at this moment, or have told where it is not known here yet.
        const mark = () => multiFenced(this.#client, hold, [{ type: 'setData', path, data, version }]);
        await repeatIdempotent(this.#client, mark, hold.signal);
      } catch (error) {
        if (hasCode(error, 'HOLD_LOST')) throw error;
        this.#client.logger.debug('a lost run was not marked as such', { path: this.path, error });
      }
    }
  }

  /** The last runs, newest first. */
  async history(options: ReadOptions = {}): Promise<readonly KeptRun[]> {
    checkOptions('RunLedger.history', options, SIGNAL_OPTION);
    const names = (await this.#runs(options)).reverse();
    const runs = await Promise.all(
      names.map(async (id): Promise<KeptRun | null> => {
        const record = decodeRun((await this.#read(`${this.path}/runs/${id}`, options))?.data ?? null);
        return record === null ? null : { id, trigger: RUN.exec(id)?.groups?.['trigger'], ...record };
      }),
    );
    return runs.filter((run) => run !== null);
  }

  /**
   * Asks for a run now, of whoever leads, or will. Resolves when it is sure to be done, not when it is done, with an id that
   * the run carries in the history. One call leads to one run at most.
   * @throws OutcomeUnknownError if no server could say within five minutes what became of the request, or a leader of version
   * 0.1.0, which notes no ids, has begun a run meanwhile: it may have been this one, or may yet come.
   */
  async trigger(): Promise<string> {
    await this.#prepare();
    const trigger = this.#client.random.uuid();
    const { clock, lastZxid } = this.#client;
    let doubt = await this.#askFor(trigger);
    const since = clock.now();
    for (let attempt = 0; doubt !== null; attempt++) {
      await pause(this.#client, attempt);
      if (await this.#hasTaken(trigger)) break;
      if (clock.now() - since > LONGEST_DOUBT_MS || (await this.#hasRunWithoutId(lastZxid)))
        throw new OutcomeUnknownError({ operation: 'trigger', path: this.path, cause: doubt });
      doubt = await this.#askFor(trigger);
    }
    return trigger;
  }

  /** Paths of the runs that were asked for and not begun, all at once, now and whenever there are others. Ends with `signal`. */
  async *triggers(signal: AbortSignal): AsyncIterable<readonly string[]> {
    const path = `${this.path}/triggers`;
    for await (const { type } of this.#client.watch(path, { signal })) {
      if (type === 'dataChanged') continue;
      const names = await this.#children(path, { signal });
      if (names.length > 0) yield inOrder(names).map((name) => `${path}/${name}`);
    }
  }

  /** Null: another claim came first, or what it is for is gone. */
  async #take(
    hold: Hold,
    claim: { readonly due: Due; readonly record: RunRecord; readonly name: string } & State,
  ): Promise<string | null> {
    const { due, record, name, lastDue, version } = claim;
    const isOfSchedule = due.kind === 'scheduled' || due.kind === 'missed';
    const next = JSON.stringify({ lastDue: isOfSchedule ? due.scheduledAt : lastDue });
    const operations: Operation[] = [
      { type: 'setData', path: this.path, data: next, version },
      {
        type: 'create',
        path: `${this.path}/runs/${name}`,
        data: encodeRun(record),
        mode: 'persistent-sequential',
      },
    ];
    if (due.trigger !== undefined) operations.push({ type: 'delete', path: due.trigger });
    try {
      const created = (await multiFenced(this.#client, hold, operations))[1];
      return created?.type === 'create' ? created.path : null;
    } catch (error) {
      if (!(error instanceof MultiError)) throw error;
      if (error.index === 1 && hasCode(error.cause, 'NO_NODE')) {
        await this.#prepare(hold.signal);
        return null;
      }
      if (hasCode(error.cause, 'BAD_VERSION') || hasCode(error.cause, 'NO_NODE')) return null;
      throw error;
    }
  }

  async #find(uuid: string, signal: AbortSignal): Promise<string | null> {
    // A server that lags behind must not hide what the lost reply was about.
    await this.#client.sync(this.path, { signal });
    const name = (await this.#runs({ signal })).find((run) => run.startsWith(`run-${uuid}-`));
    return name === undefined ? null : `${this.path}/runs/${name}`;
  }

  /** Null: it is there. Otherwise why nobody knows whether it is. */
  async #askFor(trigger: string): Promise<unknown> {
    const path = `${this.path}/triggers/trigger-${trigger}-`;
    try {
      await this.#client.create(path, null, { mode: 'persistent-sequential', createParents: true });
      return null;
    } catch (error) {
      const isInDoubt = isTransient(error) || hasCode(error, 'SESSION_EXPIRED');
      if (!isInDoubt || isClosed(this.#client, error)) throw error;
      return error;
    }
  }

  /** Whether a `trigger` in doubt took effect: it waits, or its run has begun. */
  async #hasTaken(trigger: string): Promise<boolean> {
    // A server that lags behind must not hide what the lost reply was about.
    await repeatRead(this.#client, {}, () => this.#client.sync(this.path));
    const waiting = await this.#children(`${this.path}/triggers`, {});
    if (waiting.some((name) => triggerOf(name) === trigger)) return true;
    // One transaction moves it from there to here, so the runs are looked at second.
    return this.#hasBegun(trigger);
  }

  /** Whether a run that somebody asked for was begun since by a leader that does not note by which call. */
  async #hasRunWithoutId(since: bigint): Promise<boolean> {
    for (const name of (await this.#runs({})).reverse()) {
      const path = `${this.path}/runs/${name}`;
      const stat = await repeatRead(this.#client, {}, () => this.#client.exists(path));
      if (stat === null) continue;
      if (stat.czxid <= since) return false;
      if (RUN.exec(name)?.groups?.['trigger'] !== undefined) continue;
      if (decodeRun((await this.#read(path, {}))?.data ?? null)?.kind === 'triggered') return true;
    }
    return false;
  }

  async #hasBegun(trigger: string, signal?: AbortSignal): Promise<boolean> {
    const runs = await this.#children(`${this.path}/runs`, { signal });
    return runs.some((name) => RUN.exec(name)?.groups?.['trigger'] === trigger);
  }

  /** A request that was repeated arrived twice: its run has begun already. */
  async #dropTrigger(path: string, signal: AbortSignal): Promise<void> {
    try {
      await repeatIdempotentAcrossSessions(this.#client, () => this.#client.delete(path), signal);
    } catch (error) {
      if (!hasCode(error, 'NO_NODE')) throw error;
    }
  }

  /** `now` is the servers' time. Names come in the order of creation, so one that is young is followed by younger ones. */
  async #forget(now: number, signal: AbortSignal): Promise<void> {
    const names = await this.#runs({ signal });
    let areYoung = false;
    for (const name of names.slice(0, Math.max(0, names.length - this.#keep))) {
      const path = `${this.path}/runs/${name}`;
      if (RUN.exec(name)?.groups?.['trigger'] !== undefined) {
        areYoung ||= await this.#isYoung(path, now, signal);
        if (areYoung) continue;
      }
      try {
        await repeatIdempotentAcrossSessions(this.#client, () => this.#client.delete(path), signal);
      } catch (error) {
        if (!hasCode(error, 'NO_NODE')) throw error;
      }
    }
  }

  async #isYoung(path: string, now: number, signal: AbortSignal): Promise<boolean> {
    const stat = await repeatRead(this.#client, { signal }, () => this.#client.exists(path));
    return stat !== null && now - stat.ctime < TRIGGER_KEPT_MS;
  }

  async #prepare(...signals: readonly AbortSignal[]): Promise<void> {
    for (const path of [this.path, `${this.path}/runs`]) {
      try {
        const data = path === this.path ? JSON.stringify({ lastDue: null }) : null;
        const create = () => this.#client.create(path, data, { createParents: true });
        await repeatIdempotentAcrossSessions(this.#client, create, ...signals);
      } catch (error) {
        if (!hasCode(error, 'NODE_EXISTS')) throw error;
      }
    }
  }

  async #state(options: ReadOptions): Promise<State | null> {
    const read = await this.#read(this.path, options);
    if (read === null) return null;
    return { lastDue: lastDueOf(read.data), version: read.version };
  }

  async #read(
    path: string,
    options: ReadOptions,
  ): Promise<{ readonly data: Uint8Array | null; readonly version: number } | null> {
    try {
      const { data, stat } = await repeatRead(this.#client, options, () =>
        this.#client.getData(path, options),
      );
      return { data, version: stat.version };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  /** Names of the kept runs, oldest first. */
  async #runs(options: ReadOptions): Promise<string[]> {
    return inOrder((await this.#children(`${this.path}/runs`, options)).filter((name) => RUN.test(name)));
  }

  async #children(path: string, options: ReadOptions): Promise<readonly string[]> {
    try {
      return await repeatRead(this.#client, options, () => allChildren(this.#client, path, options));
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }
}

interface State {
  readonly lastDue: number | null;
  readonly version: number;
}

function isTaken({ kind, scheduledAt, isOfCalendar }: Due, lastDue: number | null): boolean {
  if ((kind !== 'scheduled' && kind !== 'missed') || isOfCalendar === false) return false;
  return lastDue !== null && lastDue >= scheduledAt;
}

function lastDueOf(data: Uint8Array | null): number | null {
  try {
    const { lastDue } = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())) as {
      readonly lastDue?: unknown;
    };
    return typeof lastDue === 'number' ? lastDue : null;
  } catch {
    return null;
  }
}

/** The uuid of the `trigger` call that made this znode. */
function triggerOf(name: string): string | undefined {
  return TRIGGER.exec(name)?.groups?.['trigger'];
}

/** By sequence number, as they were created. */
function inOrder(names: readonly string[]): string[] {
  const sequence = (name: string): number => parseSequence(name.slice(name.lastIndexOf('-') + 1)) ?? 0;
  return [...names].sort((one, other) => (sequence(one) - sequence(other)) | 0);
}
