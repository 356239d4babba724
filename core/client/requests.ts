import {
  CreateMode,
  ErrorCode,
  OpCode,
  type Acl,
  type CreateRequest,
  type MultiOp,
  type MultiReply,
  type Request,
  type Stat,
} from '../protocol/index.js';
import { checkedAcl, encodeData } from './arguments.js';
import type { Chroot } from './chroot.js';
import { MultiError } from './client-errors.js';
import type { CreateModeName, Created, Operation, OperationResult } from './client.js';
import { BadArgumentsError, MarshallingError, RuntimeInconsistencyError, errorOfCode } from './errors.js';
import { validatePath } from './path.js';

type CreateOp = typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTtl;
type MultiMember = Extract<Request, { readonly op: MultiOp }>;

const FLAGS: Readonly<Record<CreateModeName, CreateMode>> = {
  persistent: CreateMode.persistent,
  ephemeral: CreateMode.ephemeral,
  'persistent-sequential': CreateMode.persistentSequential,
  'ephemeral-sequential': CreateMode.ephemeralSequential,
  container: CreateMode.container,
  'persistent-ttl': CreateMode.persistentWithTtl,
  'persistent-sequential-ttl': CreateMode.persistentSequentialWithTtl,
};

/** The longest time to live: 40 bits of milliseconds. */
const MAX_TTL_MS = 0xff_ffff_ffff;
const MIN_VERSION = -0x8000_0000;
const MAX_VERSION = 0x7fff_ffff;

/** Whether the server appends a number to the path. */
export function isSequential(flags: number): boolean {
  return (
    flags === CreateMode.persistentSequential ||
    flags === CreateMode.ephemeralSequential ||
    flags === CreateMode.persistentSequentialWithTtl
  );
}

/** Whether the znode ends with the session. */
export function isEphemeral(flags: number): boolean {
  return flags === CreateMode.ephemeral || flags === CreateMode.ephemeralSequential;
}

/** A copy: what comes from the wire is a view of the whole message, and in Node a `Buffer`. */
export function ownBytes(data: Uint8Array | null): Uint8Array | null {
  return data === null ? null : new Uint8Array(data);
}

/** Where a client creates znodes, and with which ACL unless a call names another. */
export interface CreationScope {
  readonly chroot: Chroot;
  readonly acl: readonly Acl[];
}

/** The create operation and its record, the path as the server sees it. Throws `BadArgumentsError`. */
export function createRequest(
  { chroot, acl: defaultAcl }: CreationScope,
  create: {
    readonly path: string;
    readonly data?: Uint8Array | string | null | undefined;
    readonly mode?: CreateModeName | undefined;
    readonly acl?: readonly Acl[] | undefined;
    readonly ttlMs?: number | undefined;
  },
): { readonly op: CreateOp; readonly body: CreateRequest } {
  const { path, mode = 'persistent', acl = defaultAcl } = create;
  const flags = FLAGS[mode];
  if (flags === undefined) {
    const what = `"${mode as string}" is no mode; it is one of ${Object.keys(FLAGS).join(', ')}`;
    throw new BadArgumentsError({ operation: 'create', path, what });
  }
  validatePath(path, 'create', { sequential: isSequential(flags) });
  const ttlMs = checkedTtl(path, mode, create.ttlMs);
  const call = { operation: 'create', path };
  const data = encodeData(create.data, call);
  const body = { path: chroot.toServer(path), data, acl: checkedAcl(acl, call), flags, ttlMs };
  return { op: createOpOf(flags), body };
}

function createOpOf(flags: CreateMode): CreateOp {
  if (flags === CreateMode.container) return OpCode.createContainer;
  const hasTtl = flags === CreateMode.persistentWithTtl || flags === CreateMode.persistentSequentialWithTtl;
  return hasTtl ? OpCode.createTtl : OpCode.create2;
}

function checkedTtl(path: string, mode: CreateModeName, ttlMs: number | undefined): number {
  const wantsTtl = mode.endsWith('-ttl');
  if (!wantsTtl && ttlMs === undefined) return 0;
  const isTtl = wantsTtl && Number.isInteger(ttlMs) && ttlMs! >= 1 && ttlMs! <= MAX_TTL_MS;
  if (isTtl) return ttlMs!;
  const what = wantsTtl
    ? `mode ${mode} needs ttlMs, a whole number from 1 to ${MAX_TTL_MS}`
    : `ttlMs goes with the modes persistent-ttl and persistent-sequential-ttl, not with ${mode}`;
  throw new BadArgumentsError({ operation: 'create', path, what });
}

/** -1 for any. Throws `BadArgumentsError`. */
export function checkedVersion(operation: string, path: string, version: number | undefined): number {
  const checked = version ?? -1;
  if (Number.isInteger(checked) && checked >= MIN_VERSION && checked <= MAX_VERSION) return checked;
  throw new BadArgumentsError({
    operation,
    path,
    what: `${String(version)} is no version, a 32-bit integer`,
  });
}

/** One operation of a multi as it is sent. Throws `BadArgumentsError`. */
export function multiMember(scope: CreationScope, operation: Operation): MultiMember {
  const { chroot } = scope;
  const { path } = operation;
  switch (operation.type) {
    case 'create':
      return createRequest(scope, operation);
    case 'delete':
      return { op: OpCode.delete, body: pathVersion(chroot, operation) };
    case 'check':
      return { op: OpCode.check, body: pathVersion(chroot, operation) };
    case 'setData': {
      const data = encodeData(operation.data, { operation: 'setData', path });
      return { op: OpCode.setData, body: { ...pathVersion(chroot, operation), data } };
    }
    default:
      throw new BadArgumentsError({
        operation: 'multi',
        path,
        what: `"${String((operation as { readonly type: unknown }).type)}" is no operation of a multi`,
      });
  }
}

function pathVersion(
  chroot: Chroot,
  operation: Extract<Operation, { readonly type: 'delete' | 'check' | 'setData' }>,
): { readonly path: string; readonly version: number } {
  const { type, path } = operation;
  validatePath(path, type);
  return { path: chroot.toServer(path), version: checkedVersion(type, path, operation.version) };
}

/** The results of a multi for its caller. Throws `MultiError` if it failed: none of it took effect then. */
export function multiResults(
  chroot: Chroot,
  operations: readonly Operation[],
  { results }: MultiReply,
): OperationResult[] {
  const failed = results.findIndex(({ error }) => isDecisive(error));
  if (failed !== -1) throw multiError(operations, results[failed]!.error!, failed);
  return results.map((result, index) => {
    if (result.error !== undefined) throw multiError(operations, result.error, index);
    const { op, body } = result.reply;
    switch (op) {
      case OpCode.create2:
        return { type: 'create', ...created(chroot, body) };
      case OpCode.create:
        return { type: 'create', path: chroot.toClient(body.path) ?? body.path, stat: null };
      case OpCode.setData:
        return { type: 'setData', stat: body.stat };
      case OpCode.delete:
        return { type: 'delete' };
      case OpCode.check:
        return { type: 'check' };
      default:
        throw new MarshallingError({ operation: 'multi', what: `the server answered with operation ${op}` });
    }
  });
}

/** Every operation of a failed multi has a code; only one is that of the failure. */
function isDecisive(error: ErrorCode | undefined): boolean {
  return error !== undefined && error !== ErrorCode.ok && error !== ErrorCode.runtimeInconsistency;
}

function multiError(operations: readonly Operation[], code: ErrorCode, index: number): MultiError {
  const operation = operations[index];
  const context = { operation: operation?.type, path: operation?.path };
  const isKnown = code !== ErrorCode.ok;
  const cause = isKnown ? errorOfCode(code, context) : new RuntimeInconsistencyError(context);
  return new MultiError({ index, cause });
}

/** A created znode as its creator sees it. */
export function created(
  chroot: Chroot,
  { path, stat }: { readonly path: string; readonly stat: Stat },
): Created {
  return { path: chroot.toClient(path) ?? path, stat };
}
