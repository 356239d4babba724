import {
  OPEN_ACL,
  OpCode,
  type Acl,
  type ClientOp,
  type PathVersion,
  type RequestBodies,
  type Stat,
} from '../protocol/index.js';
import {
  atCaller,
  SIGNAL_OPTION,
  type Clock,
  type Logger,
  type OptionNames,
  type Random,
} from '../runtime/index.js';
import { abortable } from './abortable.js';
import { checkedAcl, encodeData } from './arguments.js';
import { checkedLimit, pageOf, parseCursor } from './children-pages.js';
import type { Chroot } from './chroot.js';
import { reportMissingChroot } from './chroot-check.js';
import type {
  ChildrenPage,
  ChildrenPageOptions,
  Client,
  ConnectionState,
  CreateOptions,
  Created,
  Operation,
  OperationResult,
  ReadOptions,
  RequestOptions,
  Session,
  Watch,
  WatchStream,
} from './client.js';
import { createWithParents } from './create-with-parents.js';
import { InvalidAclError, UnimplementedError } from './errors.js';
import {
  checkCallOptions,
  checkOperation,
  CREATE_OPTIONS,
  PAGE_OPTIONS,
  READ_OPTIONS,
  REQUEST_OPTIONS,
  WATCH_OPTIONS,
  WRITE_OPTIONS,
} from './option-names.js';
import { validatePath } from './path.js';
import type { RequestSpec } from './pending-request.js';
import {
  checkedVersion,
  created,
  createRequest,
  multiMember,
  multiResults,
  ownBytes,
  type CreationScope,
} from './requests.js';
import { SessionMachine, type SessionMachineOptions } from './session-machine.js';
import type { WatchKind } from './watch-registry.js';

type WriteOptions = RequestOptions & { readonly version?: number };

/** What an operation on one path adds to its path. */
interface PathOperation<Op extends ClientOp, Result> {
  readonly op: Op;
  readonly operation: string;
  readonly path: string;
  readonly body: (serverPath: string) => RequestBodies[Op];
  readonly result: RequestSpec<Op, Result>['result'];
  readonly whenMissing?: () => Result;
}

/** The client that the door promises: turns calls into requests, and leaves sessions and connections to its machine. */
export class SessionClient implements Client {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly #machine: SessionMachine;
  readonly #chroot: Chroot;
  readonly #scope: CreationScope;

  /** `acl`: of znodes whose creation names none; open if left out. */
  constructor(options: SessionMachineOptions & { readonly acl?: readonly Acl[] | undefined }) {
    this.clock = options.clock;
    this.random = options.random;
    this.logger = options.logger;
    this.#chroot = options.chroot;
    this.#scope = { chroot: options.chroot, acl: options.acl ?? OPEN_ACL };
    this.#machine = new SessionMachine(options);
    reportMissingChroot(this, options.chroot.prefix);
    this.#machine.start();
  }

  get state(): ConnectionState {
    return this.#machine.state;
  }

  get session(): Session {
    return this.#machine.session;
  }

  get connectError(): Error | null {
    return this.#machine.connectError;
  }

  get lastZxid(): bigint {
    return this.#machine.lastZxid;
  }

  async connected(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkCallOptions({ operation: 'connected' }, options, SIGNAL_OPTION);
    const { signal } = options;
    signal?.throwIfAborted();
    let stopListening = (): void => undefined;
    const settled = new Promise<void>((resolve, reject) => {
      const settle = (state: ConnectionState): void => {
        if (state === 'connected') resolve();
        else if (state === 'closed') reject(this.#machine.closedBy);
      };
      stopListening = this.onState(settle);
      settle(this.state);
    });
    await abortable(settled, signal).finally(stopListening);
  }

  onState(listener: (state: ConnectionState, session: Session) => void): () => void {
    return this.#machine.feed.listen(listener);
  }

  states(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<ConnectionState> {
    checkCallOptions({ operation: 'states' }, options, SIGNAL_OPTION);
    return this.#machine.feed.stream(options.signal);
  }

  create(
    path: string,
    data: Uint8Array | string | null = null,
    options: CreateOptions = {},
  ): Promise<Created> {
    return this.#create(path, data, options);
  }

  delete(path: string, options: WriteOptions = {}): Promise<void> {
    return this.#write(options, {
      op: OpCode.delete,
      operation: 'delete',
      path,
      body: (serverPath) => versioned('delete', path, serverPath, options),
      result: () => undefined,
    });
  }

  exists(path: string, options: ReadOptions = {}): Promise<Stat | null> {
    return this.#read<typeof OpCode.exists, Stat | null>(options, 'exist', {
      op: OpCode.exists,
      operation: 'exists',
      path,
      body: (serverPath) => ({ path: serverPath, watch: options.watch !== undefined }),
      result: ({ stat }) => stat,
      whenMissing: () => null,
    });
  }

  getData(
    path: string,
    options: ReadOptions = {},
  ): Promise<{ readonly data: Uint8Array | null; readonly stat: Stat }> {
    return this.#read(options, 'data', {
      op: OpCode.getData,
      operation: 'getData',
      path,
      body: (serverPath) => ({ path: serverPath, watch: options.watch !== undefined }),
      result: ({ data, stat }) => ({ data: ownBytes(data), stat }),
    });
  }

  setData(path: string, data: Uint8Array | string | null, options: WriteOptions = {}): Promise<Stat> {
    return this.#write(options, {
      op: OpCode.setData,
      operation: 'setData',
      path,
      body: (serverPath) => ({
        ...versioned('setData', path, serverPath, options),
        data: encodeData(data, { operation: 'setData', path }),
      }),
      result: ({ stat }) => stat,
    });
  }

  getChildren(
    path: string,
    options: ReadOptions = {},
  ): Promise<{ readonly children: readonly string[]; readonly stat: Stat }> {
    return this.#read(options, 'child', {
      op: OpCode.getChildren2,
      operation: 'getChildren',
      path,
      body: (serverPath) => ({ path: serverPath, watch: options.watch !== undefined }),
      result: ({ children, stat }) => ({ children: [...children].sort(), stat }),
    });
  }

  async getChildrenPage(path: string, options: ChildrenPageOptions = {}): Promise<ChildrenPage> {
    checkCallOptions({ operation: 'getChildrenPage', path }, options, PAGE_OPTIONS);
    const { after, limit, ...read } = options;
    const cursor = parseCursor(after, path);
    const most = checkedLimit(limit, path);
    const watch = read.watch !== undefined;
    try {
      return await this.#read<typeof OpCode.getChildrenPage, ChildrenPage>(read, 'child', {
        op: OpCode.getChildrenPage,
        operation: 'getChildrenPage',
        path,
        body: (serverPath) => ({ path: serverPath, watch, ...cursor, most }),
        result: (page) => pageOf(page, cursor),
      });
    } catch (error) {
      if (!(error instanceof UnimplementedError) || after !== undefined) throw error;
      return { ...(await this.getChildren(path, read)), next: null };
    }
  }

  getAcl(
    path: string,
    options: RequestOptions = {},
  ): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }> {
    return this.#read(options, null, {
      op: OpCode.getAcl,
      operation: 'getAcl',
      path,
      body: (serverPath) => ({ path: serverPath }),
      result: ({ acl, stat }) => ({ acl, stat }),
    });
  }

  setAcl(path: string, acl: readonly Acl[], options: WriteOptions = {}): Promise<Stat> {
    return this.#write(options, {
      op: OpCode.setAcl,
      operation: 'setAcl',
      path,
      body: (serverPath) => {
        checkedAcl(acl, { operation: 'setAcl', path });
        if (acl.length === 0) throw new InvalidAclError({ operation: 'setAcl', path });
        return { ...versioned('setAcl', path, serverPath, options), acl };
      },
      result: ({ stat }) => stat,
    });
  }

  multi(operations: readonly Operation[], options: RequestOptions = {}): Promise<readonly OperationResult[]> {
    return this.#multi(operations, options);
  }

  sync(path: string, options: RequestOptions = {}): Promise<void> {
    return this.#read(options, null, {
      op: OpCode.sync,
      operation: 'sync',
      path,
      body: (serverPath) => ({ path: serverPath }),
      result: () => undefined,
    });
  }

  async getEphemerals(prefix = '/', options: RequestOptions = {}): Promise<readonly string[]> {
    checkCallOptions({ operation: 'getEphemerals', path: prefix }, options, REQUEST_OPTIONS);
    const prefixPath = prefix === '/' ? this.#chroot.prefix || '/' : this.#chroot.toServer(prefix);
    return this.#machine.submit(
      {
        op: OpCode.getEphemerals,
        body: { prefixPath },
        rule: 'resend',
        operation: 'getEphemerals',
        path: prefix,
        result: ({ ephemerals }) => ephemerals.flatMap((path) => this.#chroot.toClient(path) ?? []).sort(),
      },
      options,
    );
  }

  countDescendants(path: string, options: RequestOptions = {}): Promise<number> {
    return this.#read(options, null, {
      op: OpCode.getAllChildrenNumber,
      operation: 'countDescendants',
      path,
      body: (serverPath) => ({ path: serverPath }),
      result: ({ totalNumber }) => totalNumber,
    });
  }

  async whoAmI(
    options: RequestOptions = {},
  ): Promise<readonly { readonly scheme: string; readonly user: string }[]> {
    checkCallOptions({ operation: 'whoAmI' }, options, REQUEST_OPTIONS);
    return this.#machine.submit(
      {
        op: OpCode.whoAmI,
        body: {},
        rule: 'resend',
        operation: 'whoAmI',
        result: ({ clientInfo }) => clientInfo,
      },
      options,
    );
  }

  async addAuth(scheme: string, auth: Uint8Array | string, options: RequestOptions = {}): Promise<void> {
    checkCallOptions({ operation: 'addAuth' }, options, REQUEST_OPTIONS);
    return abortable(this.#machine.addAuth({ scheme, auth }), options.signal);
  }

  watch(
    path: string,
    options: { readonly recursive?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): WatchStream {
    checkCallOptions({ operation: 'watch', path }, options, WATCH_OPTIONS);
    validatePath(path, 'watch');
    return this.#machine.openStream(path, {
      isRecursive: options.recursive === true,
      signal: options.signal,
    });
  }

  async unwatch(path: string, watch: Watch): Promise<void> {
    const unwanted = this.#machine.watches.remove(path, watch);
    await Promise.all(unwanted.map((table) => this.#machine.removeWatches(path, table)));
  }

  close(): Promise<void> {
    return this.#machine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read<Op extends ClientOp, Result>(
    options: ReadOptions,
    kind: WatchKind | null,
    read: PathOperation<Op, Result>,
  ): Promise<Result> {
    try {
      const { op, operation, path, result, whenMissing } = read;
      const names: OptionNames<RequestOptions> = kind === null ? REQUEST_OPTIONS : READ_OPTIONS;
      checkCallOptions<RequestOptions>({ operation, path }, options, names);
      validatePath(path, operation);
      const body = read.body(this.#chroot.toServer(path));
      const { watch } = options;
      const claim =
        watch === undefined || kind === null ? undefined : this.#machine.watches.claim(kind, path, watch);
      return await this.#machine.submit(
        { op, body, rule: 'resend', operation, path, result, whenMissing, claim },
        options,
      );
    } catch (error) {
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw atCaller(error, this.#read);
    }
  }

  async #write<Op extends ClientOp, Result>(
    options: RequestOptions,
    write: PathOperation<Op, Result>,
  ): Promise<Result> {
    try {
      const { op, operation, path, result } = write;
      checkCallOptions({ operation, path }, options, WRITE_OPTIONS);
      validatePath(path, operation);
      const body = write.body(this.#chroot.toServer(path));
      return await this.#machine.submit({ op, body, rule: 'unknown', operation, path, result }, options);
    } catch (error) {
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw atCaller(error, this.#write);
    }
  }

  async #create(path: string, data: Uint8Array | string | null, options: CreateOptions): Promise<Created> {
    try {
      checkCallOptions({ operation: 'create', path }, options, CREATE_OPTIONS);
      const { op, body } = createRequest(this.#scope, { ...options, path, data });
      const create = (): Promise<Created> =>
        this.#machine.submit(
          {
            op,
            body,
            rule: options.uniqueName === true ? 'lookup' : 'unknown',
            operation: 'create',
            path,
            result: (reply) => created(this.#chroot, reply),
          },
          options,
        );
      if (options.createParents !== true) return await create();
      const parents = { path: body.path, acl: this.#scope.acl };
      return await createWithParents(create, parents, (spec) => this.#machine.submit(spec, options));
    } catch (error) {
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw atCaller(error, this.#create);
    }
  }

  async #multi(
    operations: readonly Operation[],
    options: RequestOptions,
  ): Promise<readonly OperationResult[]> {
    try {
      checkCallOptions({ operation: 'multi' }, options, REQUEST_OPTIONS);
      for (const operation of operations) checkOperation(operation);
      const ops = operations.map((operation) => multiMember(this.#scope, operation));
      const reply = await this.#machine.submit(
        { op: OpCode.multi, body: { ops }, rule: 'unknown', operation: 'multi', result: (body) => body },
        options,
      );
      return multiResults(this.#chroot, operations, reply);
    } catch (error) {
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw atCaller(error, this.#multi);
    }
  }
}

/** Throws `BadArgumentsError`. */
function versioned(
  operation: string,
  path: string,
  serverPath: string,
  options: { readonly version?: number },
): PathVersion {
  return { path: serverPath, version: checkedVersion(operation, path, options.version) };
}
