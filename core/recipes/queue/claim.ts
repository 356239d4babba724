import type { Client, MultiError, Operation, OperationResult, Session } from '../../client/index.js';
import { ClaimLostError } from '../errors.js';
import {
  hasCode,
  isClosed,
  isSessionOver,
  isTransient,
  pause,
  repeatIdempotent,
} from '../waiting/failure.js';
import type { Candidate } from './job-board.js';
import { decodeRecord, encodeRecord, type JobHeader, type JobRecord } from './job-record.js';
import { saysCancelled } from './job-results.js';
import { delayName, parseDelay, type QueueLayout } from './queue-layout.js';
import type { JobRead } from './read-ahead.js';
import type { TransactionBatch } from './transaction-batch.js';

/**
 * What came of trying to claim: the claim, or why not.
 * - taken: another changed it a moment ago;
 * - held: another is at it, and lives;
 * - waiting: it has been put back, and its time has not come;
 * - blocked: it waits for its children;
 * - gone.
 */
export type ClaimOutcome = Claim | 'taken' | 'held' | 'waiting' | 'blocked' | 'gone';

/** Where claims are made and ended. */
export interface ClaimDesk {
  readonly client: Client;
  readonly layout: QueueLayout;
  /** Of claims and settlements: the settlement of a job and the claim of the next go together. */
  readonly transactions: TransactionBatch;
}

/**
 * Tries to claim a job, in one transaction: the name of the consumer is written into it, the attempt is counted, the delay
 * that has passed is removed. Counting it here, and not when the attempt ends, is what makes a job that kills its worker
 * come to an end as a dead letter. Every claim changes the version of the job, by which a late worker is told.
 *
 * Whether a job that has a consumer's name in it is free is decided by two reads in this order, the job and then the
 * consumer: the name of a consumer that is gone never comes back, and what a client reads never goes back in time.
 */
export async function claimJob(
  desk: ClaimDesk,
  options: {
    readonly candidate: Candidate;
    /** Name of the consumer's own znode. */
    readonly consumer: string;
    readonly session: Session;
    readonly signal: AbortSignal;
    /** The job, if it was read before. */
    readonly reading?: Promise<JobRead> | undefined;
  },
): Promise<ClaimOutcome> {
  const { client, layout, transactions } = desk;
  const { consumer, session, signal } = options;
  const { job, facts } = options.candidate;
  for (let attempt = 0, attempts = 0; ; attempt++) {
    try {
      const { data, stat } = await ((attempt === 0 ? options.reading : undefined) ??
        client.getData(`${layout.jobs}/${job}`, { session: session.epoch }));
      const { header, payload } = decodeRecord(data, stat.ctime);
      // A try of unknown outcome: a consumer never claims a job twice at the same attempt.
      if (attempts > 0 && header.by === consumer && header.attempts === attempts)
        return new Claim(desk, {
          job,
          session,
          record: { header, payload },
          fence: stat.mzxid,
          version: stat.version,
        });
      const obstacle = await obstacleTo(desk, { header, session });
      if (obstacle !== null) return obstacle;
      const isParent = facts.isParent && header.isUnblocked !== true;
      if (isParent && (await hasChildren(desk, job, session))) return 'blocked';
      attempts = header.attempts + 1;
      const record: JobRecord = {
        header: {
          ...header,
          attempts,
          by: consumer,
          delay: undefined,
          isUnblocked: facts.isParent ? true : undefined,
        },
        payload,
      };
      const path = `${layout.jobs}/${job}`;
      const results = await transactions.submit(
        [
          { type: 'setData', path, data: encodeRecord(record), version: stat.version },
          ...(header.delay === undefined ? [] : [remove(`${layout.delays}/${header.delay}`)]),
          ...(isParent ? [remove(`${layout.children}/${job}`)] : []),
        ],
        session.epoch,
      );
      return new Claim(desk, { job, session, record, ...claimed(results) });
    } catch (error) {
      if (!isTransient(error) || isClosed(client, error)) return refusal(error);
      await pause(client, attempt, signal, session.signal);
      // A server that lags behind must not hide what the lost reply was about.
      await repeatIdempotent(
        client,
        () => client.sync(layout.jobs, { session: session.epoch }),
        session.signal,
      );
    }
  }
}

async function obstacleTo(
  { client, layout }: ClaimDesk,
  { header, session }: { readonly header: JobHeader; readonly session: Session },
): Promise<'held' | 'waiting' | null> {
  const { by, delay } = header;
  if (by !== undefined) {
    const stat = await client.exists(`${layout.consumers}/${by}`, { session: session.epoch });
    return stat === null ? null : 'held';
  }
  const dueAt = delay === undefined ? 0 : (parseDelay(delay)?.dueAt ?? 0);
  return dueAt > client.clock.wall() ? 'waiting' : null;
}

async function hasChildren({ client, layout }: ClaimDesk, job: string, session: Session): Promise<boolean> {
  const stat = await client.exists(`${layout.children}/${job}`, { session: session.epoch });
  return stat !== null && stat.numChildren > 0;
}

/** Why a claim did not come about; anything but the expected is thrown. */
function refusal(error: unknown): 'taken' | 'gone' | 'blocked' {
  if (hasCode(error, 'NO_NODE')) return 'gone';
  if (!hasCode(error, 'MULTI_FAILED')) throw error;
  const { index, cause } = error as MultiError;
  if (index === 0 && hasCode(cause, 'NO_NODE')) return 'gone';
  if (index === 0 && hasCode(cause, 'BAD_VERSION')) return 'taken';
  if (index > 0 && hasCode(cause, 'NO_NODE')) return 'taken';
  if (index > 0 && hasCode(cause, 'NOT_EMPTY')) return 'blocked';
  throw error;
}

function claimed([setData]: readonly OperationResult[]): { fence: bigint; version: number } {
  if (setData?.type !== 'setData') throw new TypeError('a multi was answered out of order');
  return { fence: setData.stat.mzxid, version: setData.stat.version };
}

function remove(path: string): Operation {
  return { type: 'delete', path };
}

/**
 * A claim that this process holds. It ends by one of `complete`, `retry`, `bury`, `giveBack`, each one
 * transaction that is refused if the job changed since: then, and when the session is over, they reject with
 * `ClaimLostError` and nothing happened.
 */
export class Claim {
  readonly job: string;
  readonly session: Session;
  readonly record: JobRecord;
  /** The zxid of the claim. */
  readonly fence: bigint;
  /** Of the job, as this claim left it. */
  readonly #version: number;
  readonly #desk: ClaimDesk;
  #hasProgress = false;

  constructor(
    desk: ClaimDesk,
    facts: {
      readonly job: string;
      readonly session: Session;
      readonly record: JobRecord;
      readonly fence: bigint;
      readonly version: number;
    },
  ) {
    this.job = facts.job;
    this.session = facts.session;
    this.record = facts.record;
    this.fence = facts.fence;
    this.#version = facts.version;
    this.#desk = desk;
  }

  /** Whether the job is still as this claim left it. */
  async isHeld(): Promise<boolean> {
    const { client } = this.#desk;
    const exists = () => client.exists(this.#jobPath, { session: this.session.epoch });
    const stat = await repeatIdempotent(client, exists, this.session.signal);
    return stat?.version === this.#version && stat.mzxid === this.fence;
  }

  /**
   * The job is done. `keepResult` gives what creates its result; and, when that is refused, what to do instead, or null to do
   * without.
   */
  async complete(keepResult: ((refusal: unknown) => Operation | null) | null): Promise<void> {
    const { key, parent } = this.record.header;
    const keep = keepResult?.(null) ?? null;
    await this.#settle([this.#deleteJob], {
      aside: [
        ...this.#tidy(key),
        ...(parent === undefined ? [] : [remove(parent)]),
        ...(keep === null ? [] : [keep]),
      ],
      instead: (operation, refusal) => (operation === keep ? (keepResult?.(refusal) ?? null) : null),
      leaves: 'job gone',
    });
  }

  /** The job is to be tried again, not before `dueAt` (milliseconds since 1970). */
  async retry(
    dueAt: number,
    failure?: { readonly failure: string; readonly failedAt: number },
  ): Promise<void> {
    await this.#putBack(dueAt, failure ?? {});
  }

  /** The job goes back as if this attempt had not been. */
  async giveBack(): Promise<void> {
    await this.#putBack(this.#desk.client.clock.wall(), { attempts: this.record.header.attempts - 1 });
  }

  /** The job is given up. `isBegun`: whether a handler was called in this attempt; otherwise the attempt does not count. */
  async bury(failure: string, failedAt: number, { isBegun = true } = {}): Promise<void> {
    const { header, payload } = this.record;
    const { key, parent, isOptional } = header;
    const attempts = isBegun ? header.attempts : header.attempts - 1;
    const letter = encodeRecord({
      header: { ...header, attempts, by: undefined, key: undefined, failure, failedAt },
      payload,
    });
    const path = `${this.#desk.layout.dead}/${this.job}`;
    await this.#settle([this.#deleteJob, { type: 'create', path, data: letter, mode: 'persistent' }], {
      aside: [...this.#tidy(key), ...(isOptional === true && parent !== undefined ? [remove(parent)] : [])],
      leaves: 'job gone',
    });
  }

  /** Says how far the job is, as long as the claim is held. */
  async progress(bytes: Uint8Array): Promise<void> {
    const path = `${this.#desk.layout.progress}/${this.job}`;
    const check: Operation = { type: 'check', path: this.#jobPath, version: this.#version };
    const create: Operation = { type: 'create', path, data: bytes, mode: 'ephemeral' };
    const update: Operation = { type: 'setData', path, data: bytes };
    const isFirst = !this.#hasProgress;
    this.#hasProgress = true;
    // Of a first one whose request or reply was lost it is not known whether it is there: what is refused is tried the other way.
    for (const write of isFirst ? [create, update] : [update, create]) {
      try {
        await this.#desk.transactions.submit([check, write], this.session.epoch);
        return;
      } catch (error) {
        if (isSessionOver(error, this.session) || isLost(error))
          throw new ClaimLostError(this.job, 'the job changed, or the session is over', error);
        // Progress is only told, not relied on: the next one tells more.
        if (isTransient(error)) return;
        if (!isOfOtherKind(error)) throw error;
      }
    }
  }

  /** Results of the jobs that this one waited for, as they were stored; null of one that has none. */
  async childResults(): Promise<readonly (Uint8Array | null)[]> {
    const { client } = this.#desk;
    const read = async (path: string): Promise<Uint8Array | null> => {
      try {
        return (await repeatIdempotent(client, () => client.getData(path), this.session.signal)).data;
      } catch (error) {
        if (hasCode(error, 'NO_NODE')) return null;
        throw error;
      }
    };
    return await Promise.all((this.record.header.children ?? []).map(read));
  }

  async #putBack(dueAt: number, changes: Partial<JobHeader>): Promise<void> {
    const { header, payload } = this.record;
    const delay = delayName(this.job, dueAt);
    const data = encodeRecord({ header: { ...header, by: undefined, delay, ...changes }, payload });
    const path = `${this.#desk.layout.delays}/${delay}`;
    await this.#settle(
      [
        { type: 'setData', path: this.#jobPath, data, version: this.#version },
        { type: 'create', path, data: null, mode: 'persistent' },
      ],
      { aside: this.#tidy(undefined), leaves: 'job there' },
    );
  }

  #tidy(key: string | undefined): Operation[] {
    const { layout } = this.#desk;
    return [
      ...(key === undefined ? [] : [remove(layout.keyPath(key))]),
      ...(this.#hasProgress ? [remove(`${layout.progress}/${this.job}`)] : []),
    ];
  }

  get #jobPath(): string {
    return `${this.#desk.layout.jobs}/${this.job}`;
  }

  get #deleteJob(): Operation {
    return { type: 'delete', path: this.#jobPath, version: this.#version };
  }

  /**
   * The first of `operations` is the one that is fenced. What is done `aside` is done as well if it can be: one that is
   * refused, as because somebody removed the znode, is left out, or done `instead` in another way.
   */
  async #settle(
    operations: readonly Operation[],
    options: {
      readonly aside: readonly Operation[];
      readonly instead?: (operation: Operation, refusal: unknown) => Operation | null;
      readonly leaves: 'job gone' | 'job there';
    },
  ): Promise<void> {
    const { client, transactions } = this.#desk;
    const { signal } = this.session;
    let aside = options.aside;
    try {
      for (let attempt = 0; ;) {
        try {
          await transactions.submit([...operations, ...aside], this.session.epoch);
          return;
        } catch (error) {
          const refused = hasCode(error, 'MULTI_FAILED') ? (error as MultiError).index : -1;
          if (attempt > 0 && refused >= 0 && (await this.#wasSettled(options.leaves))) return;
          if (refused >= operations.length) {
            const at = refused - operations.length;
            const other = options.instead?.(aside[at]!, error) ?? null;
            aside = aside.toSpliced(at, 1, ...(other === null ? [] : [other]));
          } else if (!isTransient(error) || isClosed(client, error)) throw error;
          else await pause(client, attempt++, signal);
        }
      }
    } catch (error) {
      if (isSessionOver(error, this.session) || isClosed(client, error))
        throw new ClaimLostError(this.job, 'the session is over', error);
      if (isLost(error)) throw new ClaimLostError(this.job, 'the job changed', error);
      throw error;
    }
  }

  /**
   * Whether an earlier try of unknown outcome did it: then the job is not as this claim left it. Of a job that was to
   * be put back it makes no difference whether this claim did it, or somebody took it away: it is back. One that is gone may
   * have been cancelled instead, which leaves a note among the results.
   */
  async #wasSettled(leaves: 'job gone' | 'job there'): Promise<boolean> {
    if (await this.isHeld()) return false;
    if (leaves === 'job there') return true;
    const { client } = this.#desk;
    const exists = () => client.exists(this.#jobPath, { session: this.session.epoch });
    if ((await repeatIdempotent(client, exists, this.session.signal)) !== null) return false;
    return !(await this.#wasCancelled());
  }

  async #wasCancelled(): Promise<boolean> {
    const { client, layout } = this.#desk;
    try {
      const path = `${layout.results}/${this.job}`;
      const read = () => client.getData(path, { session: this.session.epoch });
      return saysCancelled((await repeatIdempotent(client, read, this.session.signal)).data);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return false;
      throw error;
    }
  }
}

/** A create found the znode there, or an update found none. */
function isOfOtherKind(error: unknown): boolean {
  if (!hasCode(error, 'MULTI_FAILED')) return false;
  const { cause } = error as MultiError;
  return hasCode(cause, 'NODE_EXISTS') || hasCode(cause, 'NO_NODE');
}

/** The transaction was refused because the job is not what this claim knows. */
function isLost(error: unknown): boolean {
  if (!hasCode(error, 'MULTI_FAILED')) return false;
  const { index, cause } = error as MultiError;
  return index === 0 && (hasCode(cause, 'NO_NODE') || hasCode(cause, 'BAD_VERSION'));
}
