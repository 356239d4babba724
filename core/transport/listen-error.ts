import { QuorateError } from '../runtime/index.js';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * The error of a listener that cannot begin: code `LISTEN_FAILED`, fields `host` and `port`. `forWhom`: behind "Cannot listen", empty or with
 * a space before it. `flag`: the option of `quorate serve` that has the port.
 */
export function listenError(
  { host, port }: ListenAddress,
  cause: NodeJS.ErrnoException,
  { forWhom = '', flag }: { readonly forWhom?: string; readonly flag: string },
): QuorateError {
  const why = explanationOf(cause, { host, flag });
  return new QuorateError('LISTEN_FAILED', `Cannot listen${forWhom} on ${host}:${port}: ${why}.`, {
    fields: { host, port },
    cause,
  });
}

/** Why, and what to do. */
function explanationOf(
  { code, message }: NodeJS.ErrnoException,
  { host, flag }: { readonly host: string; readonly flag: string },
): string {
  switch (code) {
    case 'EADDRINUSE':
      return `another process listens there (${code}). Choose another ${flag}, or stop that process`;
    case 'EACCES':
      return `this user may not use the port (${code}). Choose a ${flag} above 1023, or give the process the right to use low ports`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${host} (${code}). Correct --host; 0.0.0.0 means all addresses`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} has no address (${code}). Correct --host`;
    default:
      return message;
  }
}
