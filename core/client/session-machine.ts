import {
  OpCode,
  WatcherType,
  type ClientOp,
  type ConnectRequest,
  type ConnectResponse,
  type WatchEvent,
} from '../protocol/index.js';
import type { Clock, Logger, Random } from '../runtime/index.js';
import type { Dialer } from '../transport/index.js';
import { AuthList, type AuthInfo } from './auth-list.js';
import type { Chroot } from './chroot.js';
import type { ConnectionState, RequestOptions, WatchStream } from './client.js';
import { ClosedError, OutcomeUnknownError, ReconnectExhaustedError } from './client-errors.js';
import { ConnectionLoop } from './connection-loop.js';
import { recoverCreates } from './create-recovery.js';
import { ConnectionLossError, MarshallingError, SessionExpiredError, UnimplementedError } from './errors.js';
import { PendingRequest, type RequestSpec } from './pending-request.js';
import { RequestQueue, type QueueLimits } from './request-queue.js';
import { isEphemeral } from './requests.js';
import type { RetryPolicy } from './retry.js';
import { SeenZxid } from './seen-zxid.js';
import type { ServerLink } from './server-link.js';
import { ClientSession, NO_PASSWORD } from './session.js';
import { SessionTimer } from './session-timer.js';
import { StateFeed } from './state-feed.js';
import { rearmBatches } from './watch-rearm.js';
import { WatchRegistry } from './watch-registry.js';
import { WatchStreams } from './watch-streams.js';

export interface SessionMachineOptions {
  readonly addresses: readonly string[];
  readonly chroot: Chroot;
  readonly dialer: Dialer;
  readonly sessionTimeoutMs: number;
  /** For one attempt to reach a server. */
  readonly attemptTimeoutMs: number;
  readonly policy: RetryPolicy;
  readonly auth: readonly AuthInfo[];
  readonly limits: QueueLimits;
  readonly maxReplyBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Somebody waits for the client, and gets the error that makes it close itself: a line of the log would say it twice. */
  readonly isAwaited: () => boolean;
}

/** An attempt to resume leaves time for another one, but is not given up sooner than this. */
const MIN_ATTEMPT_MS = 100;
/** How long `close` waits for the server to say that the session has ended. */
const MAX_CLOSING_MS = 2000;

/**
 * Keeps one session after the other alive over one connection after the other.
 *
 * - connecting: there is no session yet; every host is tried in turn. → connected.
 * - connected: a server accepted the session and answers. → suspended when the connection breaks or the server is
 *   silent for two thirds of the timeout; → lost when an answer that was due long ago shows that time is up.
 * - suspended: hosts are tried in turn, with the same session. → connected when one accepts it; → lost when one says
 *   that it has expired, or when the timer of this client runs out, whichever is first.
 * - lost: everything that was pending has been rejected, the session's signal has aborted, and its id is never used
 *   again. Hosts are tried for a new session. → connected, with the next epoch.
 * - closed: from any state; nothing leads out of it.
 *
 * On every new connection, in this order: identities, watches, then, before anything new is sent, creates in doubt are
 * looked for; then what had been sent and may be repeated, then what was waiting.
 */
export class SessionMachine {
  readonly feed: StateFeed;
  readonly watches: WatchRegistry;
  readonly #streams: WatchStreams;
  readonly #options: SessionMachineOptions;
  readonly #logger: Logger;
  readonly #queue: RequestQueue;
  readonly #auth: AuthList;
  readonly #loop: ConnectionLoop;
  readonly #timer: SessionTimer;
  #session: ClientSession;
  #link: ServerLink | null = null;
  readonly #seen: SeenZxid;
  #closing: Promise<void> | null = null;
  #closedBy: ClosedError | null = null;

  constructor(options: SessionMachineOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#session = new ClientSession(1, options.sessionTimeoutMs);
    this.#seen = new SeenZxid(options);
    this.feed = new StateFeed(options.logger);
    this.watches = new WatchRegistry(options.logger);
    this.#streams = new WatchStreams({
      add: ({ path, mode }, armed) =>
        this.#internal({
          op: OpCode.addWatch,
          body: { path: options.chroot.toServer(path), mode },
          rule: 'drop',
          operation: 'watch',
          path,
          result: armed,
        }),
      remove: ({ path, watcherType }) => void this.removeWatches(path, watcherType),
    });
    this.#queue = new RequestQueue(options.limits);
    this.#auth = new AuthList(options.auth, (error) => this.#fail(error));
    this.#timer = new SessionTimer(options.clock, {
      pingDue: () => this.#link?.ping(),
      silent: () => this.#silent(),
      expired: () =>
        this.#lose('this client has had no answer for so long that the servers may have expired it'),
    });
    this.#loop = new ConnectionLoop({
      ...options,
      events: {
        connectRequest: () => this.#connectRequest(),
        attemptTimeoutMs: () => this.#attemptTimeoutMs(),
        accepted: (link, response, sentAt) => this.#accepted(link, response, sentAt),
        heard: () => this.#timer.heard(),
        answered: (sentAt) => this.#timer.answered(sentAt),
        saw: (zxid) => this.#seen.replied(zxid),
        notified: (event, zxid) => this.#notified(event, zxid),
        ready: () => this.#queue.pump(),
        anonymousRefused: () => this.#auth.anonymousRefused(),
        lost: (link, error) => this.#linkLost(link, error),
        failed: (error) => this.#session.isOver && this.#seen.refused(error),
        exhausted: (cause) => this.#fail(new ReconnectExhaustedError({ cause })),
      },
    });
  }

  get state(): ConnectionState {
    return this.feed.state;
  }

  get session(): ClientSession {
    return this.#session;
  }

  get connectError(): Error | null {
    return this.#loop.lastError;
  }

  get lastZxid(): bigint {
    return this.#seen.last;
  }

  /** Why the client is closed; null while it is not. */
  get closedBy(): ClosedError | null {
    return this.#closedBy;
  }

  start(): void {
    this.#loop.start();
  }

  /** Queues a request of the caller's. Rejects at once when it cannot be meant for the session of now. */
  submit<Op extends ClientOp, Result>(
    spec: RequestSpec<Op, Result>,
    options: RequestOptions = {},
  ): Promise<Result> {
    this.#timer.check();
    const refusal = this.#refusal(spec, options);
    try {
      if (refusal !== null) throw refusal.error;
      return this.#queue.add(spec, options.signal).promise;
    } catch (error) {
      spec.claim?.release();
      return Promise.reject(error);
    }
  }

  /** A persistent watch; of a closed client, one that has ended. */
  openStream(
    path: string,
    options: { readonly isRecursive: boolean; readonly signal?: AbortSignal | undefined },
  ): WatchStream {
    const stream = this.#streams.open(path, options);
    if (this.#closedBy !== null) stream.end();
    return stream;
  }

  addAuth(info: AuthInfo): Promise<void> {
    if (this.#closedBy !== null) return Promise.reject(this.#closedBy);
    return this.#auth.add(info, this.#link);
  }

  /** Takes a watch off the server; resolves when that is done, or when there is no connection that could carry one. */
  removeWatches(path: string, type: number): Promise<void> {
    if (this.#link === null) return Promise.resolve();
    const remove = (type: number): Promise<void> =>
      this.#internal({
        op: OpCode.removeWatches,
        body: { path: this.#options.chroot.toServer(path), type },
        rule: 'drop',
        operation: 'unwatch',
        path,
        result: () => undefined,
      });
    return remove(type)
      .catch((error: unknown) => {
        // ZooKeeper before 3.9 has no word for a persistent watch alone, only for all that stand at a path.
        const isOthers = this.watches.isWatched(path) || this.#streams.isListening(path);
        if (!(error instanceof MarshallingError) || isOthers) throw error;
        return remove(WatcherType.any);
      })
      .catch((error: unknown) => this.#logger.debug('a watch could not be removed', { path, error }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end(new ClosedError());
    return this.#closing;
  }

  #internal<Op extends ClientOp>(spec: RequestSpec<Op, void>): Promise<void> {
    if (this.#link === null) return Promise.reject(new ConnectionLossError());
    return this.#queue.add(spec).promise;
  }

  #refusal(
    { operation, path }: { readonly operation: string; readonly path?: string | undefined },
    { signal, session }: RequestOptions,
  ): { readonly error: unknown } | null {
    if (signal?.aborted === true) return { error: signal.reason };
    if (this.#closedBy !== null) {
      return { error: new ClosedError({ operation, path, cause: this.#closedBy.cause }) };
    }
    if (session === undefined) return null;
    const { epoch, isOver } = this.#session;
    if (session === epoch && !isOver) return null;
    const what = `the request is meant for session ${session} of this client, which is over`;
    const fields = { session, epoch };
    return { error: new SessionExpiredError({ operation, path, what, fields, retryable: false }) };
  }

  #connectRequest(): ConnectRequest {
    const resumes = !this.#session.isOver;
    return {
      protocolVersion: 0,
      lastZxidSeen: this.#seen.demanded,
      timeoutMs: this.#options.sessionTimeoutMs,
      sessionId: resumes ? this.#session.id : 0n,
      password: resumes ? this.#session.password : NO_PASSWORD,
      readOnly: false,
    };
  }

  /** While a session is at stake no host may use up the time in which another could still save it. */
  #attemptTimeoutMs(): number {
    const half = Math.max(MIN_ATTEMPT_MS, this.#timer.remainingMs / 2);
    return Math.min(this.#options.attemptTimeoutMs, half);
  }

  #accepted(link: ServerLink, response: ConnectResponse, sentAt: number): boolean {
    const { address } = link;
    const isResumed = !this.#session.isOver && this.#session.id !== 0n;
    const isGranted = response.timeoutMs > 0 && response.sessionId !== 0n;
    if (isResumed && (!isGranted || response.sessionId !== this.#session.id)) {
      this.#lose(`${address} says that it has expired`);
      link.close();
      return false;
    }
    if (!isGranted) {
      this.#logger.warn('a server refused to open a session', { address });
      link.close();
      return false;
    }
    this.#seen.accepted();
    if (this.#session.isOver) this.#session = new ClientSession(this.#session.epoch + 1, 0);
    this.#session.granted(response);
    this.#timer.linked(response.timeoutMs, sentAt);
    this.#link = link;
    const { id, epoch, timeoutMs } = this.#session;
    const fields = { address, sessionId: id.toString(16), epoch, timeoutMs };
    this.#logger.info(isResumed ? 'the session goes on' : 'a session has begun', fields);
    this.#restore(link);
    this.feed.announce('connected', this.#session);
    return true;
  }

  /** Makes the server know again what the last one knew, and sends what waits. */
  #restore(link: ServerLink): void {
    this.#auth.introduce(link);
    this.#rearm(link);
    const creates = this.#queue.inDoubt();
    if (creates.length === 0) {
      this.#queue.attach(link);
      return;
    }
    const { chroot } = this.#options;
    recoverCreates(creates, { link, chroot, logger: this.#logger }).then(
      () => {
        if (this.#link === link) this.#queue.attach(link);
      },
      (error: unknown) =>
        link.fail(new ConnectionLossError({ what: 'a create could not be looked for', cause: error })),
    );
  }

  #rearm(link: ServerLink): void {
    const registrations = this.#streams.relink();
    const batches = rearmBatches(this.watches.lists(), registrations, {
      chroot: this.#options.chroot,
      relativeZxid: this.#seen.last,
    });
    for (const { body, registrations } of batches) {
      const request = new PendingRequest(
        {
          // Servers that know no persistent watches are not asked for any.
          op: registrations.length > 0 ? OpCode.setWatches2 : OpCode.setWatches,
          body,
          rule: 'drop',
          operation: 'watch',
          result: () => this.#streams.armed(registrations),
        },
        { weight: 0 },
      );
      request.promise.catch((cause: unknown) => {
        if (cause instanceof UnimplementedError) this.#streams.refused(registrations, cause);
        link.fail(new ConnectionLossError({ what: `${link.address} did not take over the watches`, cause }));
      });
      link.send(request as unknown as PendingRequest);
    }
  }

  #notified(event: WatchEvent, zxid: bigint): void {
    const path = this.#options.chroot.toClient(event.path);
    if (path === null || this.#closedBy !== null) return;
    this.#seen.notified(zxid);
    this.watches.dispatch(event, path, zxid);
    this.#streams.dispatch(event, path, zxid);
  }

  #silent(): void {
    const link = this.#link;
    if (link === null) return;
    const what = `${link.address} has been silent for two thirds of the session timeout`;
    link.fail(new ConnectionLossError({ what, fields: { address: link.address } }));
  }

  #linkLost(link: ServerLink, error: ConnectionLossError): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#streams.unlink();
    this.#queue.detach(link, error);
    if (this.#closedBy !== null) return;
    this.#timer.unlinked();
    this.#logger.warn('the connection is lost; the session may still live', {
      address: link.address,
      remainingMs: Math.round(this.#timer.remainingMs),
      error,
    });
    this.feed.announce('suspended', this.#session);
    if (this.state === 'suspended') this.#loop.start();
  }

  /** The session is over: nothing may go on as if it lived, and nothing will be resumed. */
  #lose(what: string): void {
    const session = this.#session;
    if (session.isOver) return;
    this.#timer.stop();
    const fields = { sessionId: session.id.toString(16), epoch: session.epoch };
    this.#logger.error('the session is lost', { ...fields, reason: what });
    const link = this.#link;
    const error = new SessionExpiredError({
      what: `session ${fields.epoch} of this client is over, ${what}`,
      fields,
    });
    if (link !== null) {
      this.#link = null;
      this.#streams.unlink();
      link.fail(new ConnectionLossError({ cause: error }));
      this.#queue.detach(link, new ConnectionLossError({ cause: error }));
    }
    const doomed = this.#queue.drain();
    this.feed.enter('lost', session);
    session.end(error);
    for (const request of doomed) request.reject(lossOf(request, error));
    this.watches.sessionLost();
    this.feed.tell();
    if (this.state === 'lost') this.#loop.start();
  }

  /** Something makes it pointless to go on. */
  #fail(cause: Error): void {
    if (this.#closing !== null) return;
    this.#logger[this.#options.isAwaited() ? 'info' : 'error']('the client closes itself', { error: cause });
    const what = `the client has closed itself (${cause.message})`;
    this.#closing = this.#end(new ClosedError({ what, cause }));
  }

  async #end(error: ClosedError): Promise<void> {
    const link = this.#link;
    const closingMs = Math.min(MAX_CLOSING_MS, this.#session.timeoutMs / 3);
    this.#closedBy = error;
    this.#loop.stop();
    this.#timer.stop();
    const doomed = this.#queue.drain();
    const farewell = link === null ? null : this.#sayFarewell();
    this.feed.enter('closed', this.#session);
    this.#session.end(error);
    for (const request of doomed) request.reject(afterClose(request, error));
    this.#auth.close(error);
    this.watches.sessionLost();
    this.#streams.end();
    this.feed.tell();
    if (link === null || farewell === null) return;

    const timer = this.#options.clock.setTimer(
      closingMs,
      () =>
        link.fail(
          new ConnectionLossError({ what: `${link.address} did not confirm the end of the session` }),
        ),
      { hold: true },
    );
    await farewell;
    timer.cancel();
    link.close();
    for (const request of this.#queue.drain()) request.reject(afterClose(request, error));
  }

  /** Asks for the end of the session, behind everything that was sent; resolves when it is answered or cannot be. */
  #sayFarewell(): Promise<void> {
    return this.#internal({
      op: OpCode.closeSession,
      body: {},
      rule: 'drop',
      operation: 'close',
      result: () => undefined,
    }).catch(() => undefined);
  }
}

/** A create in doubt may have left a znode that outlives the session. */
function lossOf(request: PendingRequest, cause: SessionExpiredError): Error {
  const { operation, path, body } = request.spec;
  const leavesNothing = 'flags' in body && isEphemeral(body.flags);
  if (request.isInDoubt && !leavesNothing) return new OutcomeUnknownError({ operation, path, cause });
  return new SessionExpiredError({ operation, path, cause });
}

function afterClose(request: PendingRequest, closed: ClosedError): Error {
  const { operation, path } = request.spec;
  if (request.isInDoubt) return new OutcomeUnknownError({ operation, path, cause: closed });
  return new ClosedError({ operation, path, cause: closed.cause });
}
