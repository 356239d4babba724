import type { Acl } from '../protocol/index.js';
import { BadArgumentsError } from './errors.js';

const encoder = new TextEncoder();

interface Call {
  readonly operation: string;
  readonly path?: string | undefined;
}

/** Data as they are sent: strings as UTF-8, nothing as null. Throws `BadArgumentsError` on anything that is neither text nor bytes. */
export function encodeData(data: unknown, call: Call): Uint8Array | null {
  if (data === undefined || data === null) return null;
  if (typeof data === 'string') return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  throw new BadArgumentsError({
    ...call,
    what: `data must be a string, a Uint8Array or null, not ${nameOf(data)}`,
  });
}

/** An ACL that can be sent; whether it means anything is for the server to say. Throws `BadArgumentsError`. */
export function checkedAcl(acl: readonly Acl[], call: Call): readonly Acl[] {
  const isSound = Array.isArray(acl) && acl.every(isAcl);
  if (isSound) return acl;
  throw new BadArgumentsError({
    ...call,
    what: 'acl must be a list of { perms, id: { scheme, id } }, perms a whole number, scheme and id strings',
  });
}

function isAcl(entry: unknown): boolean {
  const { perms, id } = (entry ?? {}) as { readonly perms?: unknown; readonly id?: unknown };
  const { scheme, id: name } = (id ?? {}) as { readonly scheme?: unknown; readonly id?: unknown };
  return Number.isInteger(perms) && typeof scheme === 'string' && typeof name === 'string';
}

/** An identity's proof as it is sent. Throws `BadArgumentsError`. */
export function encodeAuth({
  scheme,
  auth,
}: {
  readonly scheme: unknown;
  readonly auth: unknown;
}): Uint8Array {
  const call = { operation: 'addAuth' };
  if (typeof scheme !== 'string') {
    throw new BadArgumentsError({ ...call, what: `the scheme must be a string, not ${nameOf(scheme)}` });
  }
  if (typeof auth === 'string') return encoder.encode(auth);
  if (auth instanceof Uint8Array) return Uint8Array.from(auth);
  throw new BadArgumentsError({
    ...call,
    what: `auth must be a string or a Uint8Array, not ${nameOf(auth)}`,
  });
}

/** The kind of a value, and none of its content: it may be a secret. */
function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
