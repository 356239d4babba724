import type { Client, Operation, OperationResult, Session } from '../../client/index.js';
import { ClaimLostError } from '../errors.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, isClosed, isSessionOver, isTransient, pause, persist } from '../waiting/failure.js';
import type { Candidate } from './job-board.js';
import { decodeRecord, encodeRecord, type JobRecord } from './job-record.js';
import { delayName, type QueueLayout } from './queue-layout.js';

/** What came of trying to claim: the claim, or why not. */
export type ClaimOutcome = Claim | 'taken' | 'gone';

/**
 * Tries to claim a job, in one transaction: the claim is created, the attempt is counted in the job, the delay that
 * has passed is removed. Counting it here, and not when the attempt ends, is what makes a job that kills its worker
 * come to an end as a dead letter. Every claim changes the version of the job, by which a late worker is told.
 */
export async function claimJob(
  client: Client,
  layout: QueueLayout,
  options: {
    readonly candidate: Candidate;
    readonly consumer: string;
    readonly session: Session;
    readonly signal: AbortSignal;
  },
): Promise<ClaimOutcome> {
  const { candidate, consumer, session, signal } = options;
  const { job, delay } = candidate;
  const token = `${consumer} ${client.random.uuid()}`;
  for (let attempt = 0; ; attempt++) {
    try {
      const { data, stat } = await client.getData(`${layout.jobs}/${job}`, { session: session.epoch });
      const { header, payload } = decodeRecord(data, stat.ctime);
      const record = { header: { ...header, attempts: header.attempts + 1 }, payload };
      const results = await client.multi(
        [
          { type: 'create', path: `${layout.claims}/${job}`, data: token, mode: 'ephemeral' },
          {
            type: 'setData',
            path: `${layout.jobs}/${job}`,
            data: encodeRecord(record),
            version: stat.version,
          },
          ...(delay === null ? [] : [{ type: 'delete', path: `${layout.delays}/${delay}` } as const]),
        ],
        { session: session.epoch },
      );
      return new Claim(client, layout, { job, session, record, ...claimed(results) });
    } catch (error) {
      if (isTransient(error) && !isClosed(client, error)) {
        await pause(client, attempt, signal, session.signal);
        const found = await findClaim(client, layout, { job, session, token });
        if (found !== null) return found;
      } else return refusal(error);
    }
  }
}

/** Why a claim did not come about; anything but the expected is thrown. */
function refusal(error: unknown): 'taken' | 'gone' {
  if (hasCode(error, 'NO_NODE')) return 'gone';
  if (!hasCode(error, 'MULTI_FAILED')) throw error;
  const { index, cause } = error as unknown as { readonly index: number; readonly cause: unknown };
  if (index === 0 && hasCode(cause, 'NODE_EXISTS')) return 'taken';
  if (index === 1 && hasCode(cause, 'NO_NODE')) return 'gone';
  if (index === 1 && hasCode(cause, 'BAD_VERSION')) return 'taken';
  if (index === 2 && hasCode(cause, 'NO_NODE')) return 'taken';
  throw error;
}

function claimed(results: readonly OperationResult[]): { fence: bigint; version: number } {
  const [create, setData] = results;
  if (create?.type !== 'create' || setData?.type !== 'setData')
    throw new TypeError('a multi was answered out of order');
  // One transaction has one zxid: it created the claim, too, of which a server need not tell more than the path.
  return { fence: setData.stat.mzxid, version: setData.stat.version };
}

/** After a try of unknown outcome: the claim, if it is this try's. The `sync` makes a server that lags behind catch up first. */
async function findClaim(
  client: Client,
  layout: QueueLayout,
  options: { readonly job: string; readonly session: Session; readonly token: string },
): Promise<Claim | null> {
  const { job, session, token } = options;
  const read = (path: string) =>
    persist(client, () => client.getData(path, { session: session.epoch }), session.signal);
  try {
    await persist(client, () => client.sync(layout.claims, { session: session.epoch }), session.signal);
    const claim = await read(`${layout.claims}/${job}`);
    if (new TextDecoder().decode(claim.data ?? new Uint8Array()) !== token) return null;
    const { data, stat } = await read(`${layout.jobs}/${job}`);
    const record = decodeRecord(data, stat.ctime);
    return new Claim(client, layout, {
      job,
      session,
      record,
      fence: claim.stat.czxid,
      version: stat.version,
    });
  } catch (error) {
    if (hasCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

/**
 * A claim that this process holds. It ends by one of `complete`, `retry`, `bury`, `giveBack`, each one
 * transaction that removes the claim and is refused if the job changed since: then, and when the session is over,
 * they reject with `ClaimLostError` and nothing happened.
 */
export class Claim {
  readonly job: string;
  readonly session: Session;
  readonly record: JobRecord;
  readonly fence: bigint;
  /** Of the job, as this claim left it. */
  readonly #version: number;
  readonly #client: Client;
  readonly #layout: QueueLayout;

  constructor(
    client: Client,
    layout: QueueLayout,
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
    this.#client = client;
    this.#layout = layout;
  }

  /** Whether the claim is still there and still this one. */
  async isHeld(): Promise<boolean> {
    const stat = await persist(
      this.#client,
      () => this.#client.exists(this.#claimPath, { session: this.session.epoch }),
      this.session.signal,
    );
    return stat?.czxid === this.fence;
  }

  /** The job is done. Its result is dropped, with a log line, where the servers have TTL znodes switched off (ZooKeeper's default). */
  async complete(result: { readonly bytes: Uint8Array; readonly ttlMs: number } | null): Promise<void> {
    const done: readonly Operation[] = [this.#deleteJob, this.#deleteClaim];
    if (result === null) return await this.#settle(done, 'job gone');
    const keep = {
      type: 'create',
      path: `${this.#layout.results}/${this.job}`,
      data: result.bytes,
      mode: 'persistent-ttl',
      ttlMs: result.ttlMs,
    } as const;
    try {
      await this.#settle([...done, keep], 'job gone');
    } catch (error) {
      if (!hasCode(error, 'MULTI_FAILED') || !hasCode(error.cause, 'UNIMPLEMENTED')) throw error;
      this.#client.logger.warn('the servers keep no znodes with a time to live: a result is dropped', {
        job: this.job,
      });
      await this.#settle(done, 'job gone');
    }
  }

  /** The job is to be tried again, not before `dueAt` (milliseconds since 1970). */
  async retry(dueAt: number): Promise<void> {
    const delay = `${this.#layout.delays}/${delayName(this.job, dueAt)}`;
    await this.#settle(
      [
        { type: 'check', path: this.#jobPath, version: this.#version },
        { type: 'create', path: delay, data: null, mode: 'persistent' },
        this.#deleteClaim,
      ],
      'job there',
    );
  }

  /** The job is given up. */
  async bury(failure: string, failedAt: number): Promise<void> {
    const { header, payload } = this.record;
    const letter = encodeRecord({ header: { ...header, failure, failedAt }, payload });
    const path = `${this.#layout.dead}/${this.job}`;
    await this.#settle(
      [this.#deleteJob, this.#deleteClaim, { type: 'create', path, data: letter, mode: 'persistent' }],
      'job gone',
    );
  }

  /** The job goes back as if this attempt had not been. */
  async giveBack(): Promise<void> {
    const { header, payload } = this.record;
    const data = encodeRecord({ header: { ...header, attempts: header.attempts - 1 }, payload });
    await this.#settle(
      [{ type: 'setData', path: this.#jobPath, data, version: this.#version }, this.#deleteClaim],
      'job there',
    );
  }

  get #jobPath(): string {
    return `${this.#layout.jobs}/${this.job}`;
  }

  get #claimPath(): string {
    return `${this.#layout.claims}/${this.job}`;
  }

  get #deleteJob(): Operation {
    return { type: 'delete', path: this.#jobPath, version: this.#version };
  }

  get #deleteClaim(): Operation {
    return { type: 'delete', path: this.#claimPath };
  }

  async #settle(operations: readonly Operation[], leaves: 'job gone' | 'job there'): Promise<void> {
    const { signal } = this.session;
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          await orAborted(this.#client.multi(operations, { session: this.session.epoch }), signal);
          return;
        } catch (error) {
          if (attempt > 0 && hasCode(error, 'MULTI_FAILED') && (await this.#wasSettled(leaves))) return;
          if (!isTransient(error) || isClosed(this.#client, error)) throw error;
          await pause(this.#client, attempt, signal);
        }
      }
    } catch (error) {
      if (isSessionOver(error, this.session) || isClosed(this.#client, error))
        throw new ClaimLostError(this.job, 'the session is over', error);
      if (isLost(error)) throw new ClaimLostError(this.job, 'the job or its claim changed', error);
      throw error;
    }
  }

  /**
   * Whether an earlier try of unknown outcome did it: then the claim is gone, though its session lives. Of a job that was to
   * be put back it makes no difference whether this claim did it, or somebody took the claim away: it is back.
   */
  async #wasSettled(leaves: 'job gone' | 'job there'): Promise<boolean> {
    if (await this.isHeld()) return false;
    if (leaves === 'job there') return true;
    const stat = await persist(
      this.#client,
      () => this.#client.exists(this.#jobPath, { session: this.session.epoch }),
      this.session.signal,
    );
    return stat === null;
  }
}

/** The transaction was refused because the job or the claim is not what this claim knows. */
function isLost(error: unknown): boolean {
  if (!hasCode(error, 'MULTI_FAILED')) return false;
  const { cause } = error;
  return hasCode(cause, 'NO_NODE') || hasCode(cause, 'BAD_VERSION');
}
